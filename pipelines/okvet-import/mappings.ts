import { command, type FieldMapping, type Flags, type Suggestion } from 'sluice';
import { present, registry, TRANSFORMS } from 'sluice/transforms';
import { invoiceLines } from './invoice-lines.js';
import type { Layout } from './layout.js';
import { INPUTS, RECORD_TYPES } from './record-types.js';

/** The pipeline's name among those that come with Sluice. */
export const BUILT_IN = 'okvet-import';

/** The source system whose files the defaults fit. */
export const OKVET = 'okvet';

/** The transforms that mappings of this pipeline can name. */
export const IMPORT_TRANSFORMS = registry(...TRANSFORMS.values(), {
  name: 'invoice_lines',
  usage: 'invoice_lines',
  summary: 'the lines of an invoice, each as "description: quantity x price"',
  make(args) {
    if (args.length > 0) throw new Error('invoice_lines takes no arguments');
    return present(invoiceLines);
  },
});

/** The fields that mappings may fill, by record type, as a practice calls them. */
export function targetsOf(layout: Layout): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    INPUTS.map((input) => {
      const { type, columns } = RECORD_TYPES[input];
      return [type, ['source_id', ...columns].map((column) => layout.theirs(input, column))];
    }),
  );
}

/** source field, target field, transform, '!' where a value is required, the default value. */
type Line = readonly [string, string, string?, string?, string?];

const TEXT = 'collapse_spaces';
const DATE = 'trim | date_parse';
const VET = ['Veterinario', 'veterinarian', `${TEXT} | title_case`] as const;

const DEFAULTS: Readonly<Record<string, readonly Line[]>> = {
  client: [
    ['ID Cliente', 'source_id', 'trim', '!'],
    ['Razón social', 'name', TEXT],
    ['Nombre', 'first_name', `${TEXT} | title_case`],
    ['Apellidos', 'last_name', `${TEXT} | title_case`],
    ['Correo electrónico', 'email', 'email_lower'],
    ['Teléfono', 'phone', 'trim | phone_format'],
    ['Celular', 'mobile', 'trim | phone_format'],
    ['RFC', 'tax_id', 'trim'],
    ['Dirección', 'street', TEXT],
    ['Ciudad', 'city', `${TEXT} | title_case`],
    ['C.P.', 'postal_code', 'trim'],
    ['Fecha de alta', 'registered_on', DATE],
    ['Activo', 'active', 'yes_no', '', 'true'],
    ['Notas', 'notes', 'multiline'],
  ],
  pet: [
    ['ID Mascota', 'source_id', 'trim', '!'],
    ['ID Cliente', 'client_id', 'trim', '!'],
    ['Nombre', 'name', TEXT],
    ['Especie', 'species', 'trim | species_map'],
    ['Raza', 'breed', TEXT],
    ['Sexo', 'sex', 'enum(macho=male, m=male, hembra=female, h=female, *=unknown)', '', 'unknown'],
    ['Fecha de nacimiento', 'birth_date', DATE],
    ['Peso', 'weight_kg', 'number(kg, kgs)'],
    ['Color', 'color', TEXT],
    ['Microchip', 'microchip', 'trim'],
    ['Esterilizado', 'neutered', 'yes_no'],
    ['Fallecido', 'deceased', 'yes_no', '', 'false'],
    ['Notas', 'notes', 'multiline'],
  ],
  medical_record: [
    ['ID Expediente', 'source_id', 'trim', '!'],
    ['ID Mascota', 'pet_id', 'trim', '!'],
    ['Fecha', 'visited_on', DATE, '!'],
    ['Motivo', 'reason', TEXT],
    ['Diagnóstico', 'diagnosis', 'multiline'],
    ['Tratamiento', 'treatment', 'multiline'],
    ['Peso', 'weight_kg', 'number(kg, kgs)'],
    VET,
    ['Observaciones', 'notes', 'multiline'],
  ],
  vaccination: [
    ['ID Vacunación', 'source_id', 'trim', '!'],
    ['ID Mascota', 'pet_id', 'trim', '!'],
    ['Vacuna', 'vaccine', TEXT, '!'],
    ['Lote', 'lot', 'trim'],
    ['Fecha de aplicación', 'given_on', DATE, '!'],
    ['Próxima dosis', 'due_on', DATE],
    VET,
  ],
  appointment: [
    ['ID Cita', 'source_id', 'trim', '!'],
    ['ID Cliente', 'client_id', 'trim', '!'],
    ['ID Mascota', 'pet_id', 'trim'],
    [
      'Fecha',
      'scheduled_at',
      "concat(' ', Hora) | date_parse(%Y-%m-%d %H:%M, %d/%m/%Y %H:%M, %d-%m-%Y %H:%M, %m/%d/%Y %H:%M)",
      '!',
    ],
    ['Duración', 'minutes', 'number(min, minutos)', '', '30'],
    [
      'Estado',
      'status',
      'enum(programada=scheduled, confirmada=confirmed, completada=completed, atendida=completed, cancelada=cancelled, no asistió=no_show)',
      '',
      'scheduled',
    ],
    ['Motivo', 'reason', TEXT],
  ],
  invoice: [
    ['Folio', 'source_id', 'trim', '!'],
    ['ID Cliente', 'client_id', 'trim', '!'],
    ['Fecha', 'issued_on', DATE, '!'],
    ['Conceptos', 'lines', 'invoice_lines', '!'],
    ['Subtotal', 'subtotal', 'money'],
    ['IVA', 'tax', 'money'],
    ['Total', 'total', 'money', '!'],
    [
      'Forma de pago',
      'payment_method',
      `${TEXT} | enum(efectivo=cash, tarjeta=card, transferencia=transfer, *=other)`,
    ],
    ['Pagada', 'paid', 'yes_no', '', 'false'],
  ],
};

const DEFAULT_MAPPINGS: readonly FieldMapping[] = Object.entries(DEFAULTS).flatMap(([recordType, lines]) =>
  lines.map(([sourceField, targetField, transform = '', required = '', defaultValue = '']) => ({
    sourceSystem: OKVET,
    recordType,
    sourceField,
    targetField,
    transform,
    isRequired: required === '!',
    defaultValue,
  })),
);

/** What is typed to correct mappings: export them, and, with `lead`, import them again. `from`: the pipeline they are of. */
export function correcting(
  system: string,
  from: string,
  notes: { readonly export?: { readonly lead?: string; readonly note?: string }; readonly lead: string },
): Suggestion[] {
  const flags: Flags = from === BUILT_IN ? {} : { pipeline: from };
  return [
    command('mappings', [system, 'export', 'mappings.csv'], flags, notes.export),
    command('mappings', [system, 'import', 'mappings.csv'], flags, { lead: notes.lead }),
  ];
}

/** How the fields of OkVet's files become columns; what the ledger holds of a record type takes their place. */
export function defaultMappings(layout: Layout): readonly FieldMapping[] {
  return DEFAULT_MAPPINGS.map((mapping) => layout.inTheirs(mapping));
}
