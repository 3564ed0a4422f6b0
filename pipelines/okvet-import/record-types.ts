import type { Row } from 'sluice';
import type { Validator } from 'sluice/transforms';
import { validateAppointment } from './validators/appointment.js';
import { validateClient } from './validators/client.js';
import { validateInvoice } from './validators/invoice.js';
import { validateMedicalRecord } from './validators/medical-record.js';
import { validatePet } from './validators/pet.js';
import { validateVaccination } from './validators/vaccination.js';

/** The inputs, and the tables that they fill; parents stand before their children. */
export const INPUTS = [
  'clients',
  'pets',
  'medical_records',
  'vaccinations',
  'appointments',
  'invoices',
] as const;

export type InputName = (typeof INPUTS)[number];

/** A column that refers to a record of another type: by its source id in the file, by its id here in the table. */
interface Reference {
  readonly column: string;
  readonly to: InputName;
  /** A record may do without. */
  readonly optional?: boolean;
}

/** What is known of the records of one input. */
export interface RecordType {
  /** As T-018 calls it. */
  readonly type: string;
  /** Columns that mappings may fill besides `source_id`. */
  readonly columns: readonly string[];
  readonly references: readonly Reference[];
  /** What columns hold that may not be without a value, where a record has none. */
  readonly defaults?: Readonly<Record<string, string>>;
  readonly validate: Validator<Row>;
  /** Compared with the date of the record that the first reference names: not earlier. */
  readonly notBefore?: { readonly column: string; readonly reason: string; readonly what: string };
  /** The date that records of other types are compared with. */
  readonly date?: string;
}

export const RECORD_TYPES: Readonly<Record<InputName, RecordType>> = {
  clients: {
    type: 'client',
    columns: [
      ...['name', 'first_name', 'last_name', 'email', 'phone', 'mobile', 'tax_id'],
      ...['street', 'city', 'postal_code', 'registered_on', 'active', 'notes'],
    ],
    references: [],
    defaults: { active: 'true' },
    validate: validateClient,
  },
  pets: {
    type: 'pet',
    columns: [
      ...['client_id', 'name', 'species', 'breed', 'sex', 'birth_date', 'weight_kg', 'color'],
      ...['microchip', 'neutered', 'deceased', 'notes'],
    ],
    references: [{ column: 'client_id', to: 'clients' }],
    defaults: { sex: 'unknown', deceased: 'false' },
    validate: validatePet,
    date: 'birth_date',
  },
  medical_records: {
    type: 'medical_record',
    columns: [
      ...['pet_id', 'visited_on', 'reason', 'diagnosis', 'treatment', 'weight_kg', 'veterinarian', 'notes'],
    ],
    references: [{ column: 'pet_id', to: 'pets' }],
    validate: validateMedicalRecord,
    notBefore: { column: 'visited_on', reason: 'before_birth', what: 'The visit' },
  },
  vaccinations: {
    type: 'vaccination',
    columns: ['pet_id', 'vaccine', 'lot', 'given_on', 'due_on', 'veterinarian'],
    references: [{ column: 'pet_id', to: 'pets' }],
    validate: validateVaccination,
    notBefore: { column: 'given_on', reason: 'before_birth', what: 'The vaccination' },
  },
  appointments: {
    type: 'appointment',
    columns: ['client_id', 'pet_id', 'scheduled_at', 'minutes', 'status', 'reason'],
    references: [
      { column: 'client_id', to: 'clients' },
      { column: 'pet_id', to: 'pets', optional: true },
    ],
    defaults: { minutes: '30', status: 'scheduled' },
    validate: validateAppointment,
  },
  invoices: {
    type: 'invoice',
    columns: [...['client_id', 'issued_on', 'lines', 'subtotal', 'tax', 'total', 'payment_method', 'paid']],
    references: [{ column: 'client_id', to: 'clients' }],
    defaults: { paid: 'false' },
    validate: validateInvoice,
  },
};

/**
 * The columns that the rows of an input fill, in order; where `filled` is given, those: of ours, and behind them of the
 * table's others.
 */
export function tableColumns(input: InputName, filled?: readonly string[]): readonly string[] {
  const { columns } = RECORD_TYPES[input];
  const identity = ['id', 'source_system', 'source_id'];
  if (filled === undefined) return [...identity, ...columns];
  const own = columns.filter((column) => filled.includes(column));
  return [...new Set([...identity, ...own, ...filled])];
}

/** The input whose records are of this type. */
export function inputOf(type: string): InputName | undefined {
  return INPUTS.find((input) => RECORD_TYPES[input].type === type);
}
