import { Random } from './random.js';
import {
  BREEDS,
  CITIES,
  COMPLAINTS,
  DIAGNOSES,
  FIRST_NAMES,
  LAST_NAMES,
  PET_NAMES,
  SERVICES,
  SPECIES,
  STREETS,
  TREATMENTS,
  VACCINES,
  VETERINARIANS,
} from './words.js';

/** How large the practice is, and which one. */
export interface PracticeOptions {
  readonly clients: number;
  readonly seed: number;
  /** The share of rows that are bad on purpose. Default: 0.03. */
  readonly bad?: number;
}

/** A file of the practice: its header, and how many rows it has for so many clients. */
export interface PracticeFile {
  readonly header: readonly string[];
  readonly rows: (clients: number) => number;
  readonly encoding: 'utf8' | 'latin1';
  /** Why its bad rows are rejected; in turn. */
  readonly reasons: readonly string[];
}

/** A row, and for what it will be rejected, if it is bad. */
export interface MadeRow {
  readonly values: readonly string[];
  readonly planted: string | undefined;
  readonly sourceId: string;
}

/** Reasons whose rows lack an id of their own, so that nothing can refer to them. */
const NO_ID = ['duplicate_id', 'required_id'];

export const PRACTICE = {
  clients: {
    header: [
      ...['ID Cliente', 'Razón social', 'Nombre', 'Apellidos', 'Correo electrónico', 'Teléfono', 'Celular'],
      ...['RFC', 'Dirección', 'Ciudad', 'C.P.', 'Fecha de alta', 'Activo', 'Notas'],
    ],
    rows: (clients) => clients,
    encoding: 'utf8',
    reasons: [
      'format',
      'pattern',
      'name_required',
      'bad_date',
      'not_yes_or_no',
      'duplicate_id',
      'required_id',
    ],
  },
  pets: {
    header: [
      ...['ID Mascota', 'ID Cliente', 'Nombre', 'Especie', 'Raza', 'Sexo', 'Fecha de nacimiento', 'Peso'],
      ...['Color', 'Microchip', 'Esterilizado', 'Fallecido', 'Notas'],
    ],
    rows: (clients) => Math.round(clients * 1.5),
    encoding: 'utf8',
    reasons: [
      ...['client_rejected', 'unknown_client', 'required_name', 'required_species', 'bad_date'],
      ...['not_a_number', 'pattern', 'duplicate_id'],
    ],
  },
  medical_records: {
    header: [
      ...['ID Expediente', 'ID Mascota', 'Fecha', 'Motivo', 'Diagnóstico', 'Tratamiento', 'Peso'],
      ...['Veterinario', 'Observaciones'],
    ],
    rows: (clients) => clients * 5,
    encoding: 'latin1',
    reasons: [
      ...['pet_rejected', 'unknown_pet', 'required', 'bad_date', 'empty_record', 'before_birth'],
      ...['not_a_number', 'duplicate_id'],
    ],
  },
  vaccinations: {
    header: [
      ...[
        'ID Vacunación',
        'ID Mascota',
        'Vacuna',
        'Lote',
        'Fecha de aplicación',
        'Próxima dosis',
        'Veterinario',
      ],
    ],
    rows: (clients) => Math.round(clients / 2),
    encoding: 'utf8',
    reasons: ['before_birth', 'due_before_given', 'required', 'unknown_pet', 'pet_rejected', 'bad_date'],
  },
  appointments: {
    header: ['ID Cita', 'ID Cliente', 'ID Mascota', 'Fecha', 'Hora', 'Duración', 'Estado', 'Motivo'],
    rows: (clients) => Math.round(clients / 4),
    encoding: 'latin1',
    reasons: ['not_in_list', 'bad_date', 'pattern', 'client_rejected'],
  },
  invoices: {
    header: [
      ...['Folio', 'ID Cliente', 'Fecha', 'Conceptos', 'Subtotal', 'IVA', 'Total', 'Forma de pago', 'Pagada'],
    ],
    rows: (clients) => Math.round(clients / 2),
    encoding: 'utf8',
    reasons: ['lines_do_not_add_up', 'bad_invoice_line', 'client_rejected', 'ambiguous_number', 'required'],
  },
} as const satisfies Readonly<Record<string, PracticeFile>>;

export type FileName = keyof typeof PRACTICE;

export const FILE_NAMES = Object.keys(PRACTICE).filter((name): name is FileName => name in PRACTICE);

/** Every file's rows can be made one by one, in any order, without keeping any of them. */
export class Practice {
  readonly #seed: number;
  readonly #bad: number;

  constructor(readonly options: PracticeOptions) {
    this.#seed = options.seed;
    this.#bad = options.bad ?? 0.03;
  }

  rows(file: FileName): number {
    return PRACTICE[file].rows(this.options.clients);
  }

  /** Row `n` of a file, from 1. */
  row(file: FileName, n: number): MadeRow {
    const random = new Random(this.#seed, file, n);
    const reason = this.#reason(file, n);
    const id = idOf(file, reason === 'duplicate_id' ? this.#other(file, n, random) : n);
    const sourceId = reason === 'required_id' ? '' : id;
    const values = MAKE[file](this, random, reason, sourceId, n);
    // What is planted by a finer name is rejected by the plain one.
    return { values, sourceId, planted: reason?.replace(/^required_.*/, 'required') };
  }

  /** When a pet was born, in days since 1970; 0 where its file does not say. */
  born(pet: number): number {
    const random = new Random(this.#seed, 'born', pet);
    return random.next() < 0.1 ? 0 : 14_600 + random.below(4_000);
  }

  /** A client whose row is good; where `reason` says so, one that is rejected or that there is not. */
  client(random: Random, reason: string | undefined): string {
    if (reason === 'unknown_client') return `9${random.below(1_000_000)}X`;
    return idOf('clients', this.#find('clients', random, reason === 'client_rejected'));
  }

  /** The number of a pet, likewise. */
  pet(random: Random, reason: string | undefined): number {
    return this.#find('pets', random, reason === 'pet_rejected');
  }

  /** A pet whose birth is known. */
  bornPet(random: Random): number {
    for (;;) {
      const pet = this.pet(random, undefined);
      if (this.born(pet) > 0) return pet;
    }
  }

  #reason(file: FileName, n: number): string | undefined {
    // The first ten are good, so that there is something to refer to.
    if (n <= 10 || new Random(this.#seed, `${file} bad`, n).next() >= this.#bad) return undefined;
    const random = new Random(this.#seed, `${file} reason`, n);
    return random.pick<string>(PRACTICE[file].reasons);
  }

  /** A good row; or a rejected one that has an id of its own. Searched from a random place on. */
  #find(file: FileName, random: Random, rejected: boolean): number {
    const rows = this.rows(file);
    const from = random.below(rows);
    for (let step = 0; step < rows; step++) {
      const n = ((from + step) % rows) + 1;
      const reason = this.#reason(file, n);
      if (rejected ? reason !== undefined && !NO_ID.includes(reason) : reason === undefined) return n;
    }
    throw new Error(`a practice of ${rows} ${file} has none that is ${rejected ? 'bad' : 'good'}`);
  }

  /** An earlier row that is good. */
  #other(file: FileName, n: number, random: Random): number {
    for (;;) {
      const earlier = 1 + random.below(n - 1);
      if (this.#reason(file, earlier) === undefined) return earlier;
    }
  }
}

const PREFIX: Readonly<Record<FileName, string>> = {
  clients: '1',
  pets: 'P-',
  medical_records: 'E-',
  vaccinations: 'V-',
  appointments: 'C-',
  invoices: 'F-',
};

const idOf = (file: FileName, n: number) => `${PREFIX[file]}${n}`;

type Make = (
  practice: Practice,
  random: Random,
  reason: string | undefined,
  id: string,
  n: number,
) => readonly string[];

const MAKE: Readonly<Record<FileName, Make>> = {
  clients(_, random, reason, id, n) {
    const nameless = reason === 'name_required';
    const company = !nameless && random.next() < 0.05;
    const first = random.pick(FIRST_NAMES);
    const last = `${random.pick(LAST_NAMES)} ${random.pick(LAST_NAMES)}`;
    const loud = random.next() < 0.3;
    return [
      id,
      company ? `Refugio ${last}, A.C.` : '',
      company || nameless ? '' : loud ? first.toUpperCase() : first,
      company || nameless ? '' : loud ? last.toUpperCase() : last,
      reason === 'format' ? `cliente${n}(arroba)example.com` : `Cliente${n}@Example.com`,
      reason === 'pattern' ? '12345' : telephone(random),
      random.next() < 0.3 ? telephone(random) : '',
      '',
      `${random.pick(STREETS)} ${random.below(900)}, int. ${random.below(20)}`,
      random.pick(CITIES),
      String(10_000 + random.below(80_000)),
      reason === 'bad_date' ? '31/02/2021' : date(random, 17_500 + random.below(2_000)),
      reason === 'not_yes_or_no' ? 'tal vez' : random.pick(['Sí', 'sí', 'NO', 'no', '']),
      random.next() < 0.2 ? 'Llamar por la tarde.\nTiene "llave" de la casa.' : '',
    ];
  },
  pets(practice, random, reason, id, n) {
    const born = practice.born(n);
    return [
      id,
      practice.client(random, reason),
      reason === 'required_name' ? '' : random.pick(PET_NAMES),
      reason === 'required_species' ? '' : random.pick(SPECIES),
      random.pick(BREEDS),
      random.pick(['Macho', 'Hembra', 'M', 'H', '']),
      reason === 'bad_date' ? '2021-13-45' : born === 0 ? '' : date(random, born),
      reason === 'not_a_number' ? 'gordo' : kilograms(random),
      random.pick(['Negro', 'Café', 'Blanco', '']),
      reason === 'pattern' ? '484' : random.next() < 0.1 ? `484${String(n).padStart(12, '0')}` : '',
      random.pick(['Sí', 'No', '']),
      random.next() < 0.05 ? 'Sí' : 'No',
      random.next() < 0.05 ? 'Muerde,\nusar guantes' : '',
    ];
  },
  medical_records(practice, random, reason, id) {
    const early = reason === 'before_birth';
    const pet = early ? practice.bornPet(random) : practice.pet(random, reason);
    const born = practice.born(pet) || 16_000;
    const empty = reason === 'empty_record';
    return [
      id,
      reason === 'unknown_pet' ? `X-${pet}` : idOf('pets', pet),
      reason === 'required'
        ? ''
        : reason === 'bad_date'
          ? '2023-02-30'
          : date(random, early ? born - 30 : born + random.below(1_500), early),
      empty ? '' : random.pick(COMPLAINTS),
      empty ? '' : random.pick(DIAGNOSES),
      empty ? '' : random.pick(TREATMENTS),
      reason === 'not_a_number' ? 'n/d' : kilograms(random),
      random.pick(VETERINARIANS),
      '',
    ];
  },
  vaccinations(practice, random, reason, id) {
    const early = reason === 'before_birth';
    const pet = early ? practice.bornPet(random) : practice.pet(random, reason);
    const given = early ? practice.born(pet) - 30 : (practice.born(pet) || 16_000) + random.below(1_500);
    const backwards = reason === 'due_before_given';
    return [
      id,
      reason === 'unknown_pet' ? `X-${pet}` : idOf('pets', pet),
      reason === 'required' ? '' : random.pick(VACCINES),
      `LT-${random.below(9_999)}`,
      reason === 'bad_date' ? '30/02/2022' : date(random, given, early || backwards),
      backwards ? date(random, given - 60, true) : random.next() < 0.5 ? date(random, given + 365) : '',
      random.pick(VETERINARIANS),
    ];
  },
  appointments(practice, random, reason, id) {
    const owner = practice.client(random, reason);
    return [
      id,
      owner,
      random.next() < 0.8 ? idOf('pets', practice.pet(random, undefined)) : '',
      date(random, 19_600 + random.below(300)),
      reason === 'bad_date'
        ? '25:00'
        : `${random.pick(['9', '10', '11', '16', '17'])}:${random.pick(['00', '30'])}`,
      reason === 'pattern' ? '900' : random.pick(['30 min', '45', '15 min', '']),
      reason === 'not_in_list'
        ? 'Quizás'
        : random.pick(['Programada', 'Confirmada', 'Cancelada', 'No asistió']),
      random.pick(COMPLAINTS),
    ];
  },
  invoices(practice, random, reason, id) {
    const lines = Array.from({ length: 1 + random.below(3) }, () => {
      const [what, price] = random.pick(SERVICES);
      return { what, price, times: 1 + random.below(3) };
    });
    const subtotal = lines.reduce((sum, { price, times }) => sum + price * times, 0);
    const tax = Math.round(subtotal * 0.16);
    const european = random.next() < 0.3;
    const said = lines.map(({ what, price, times }) => `${what}: ${times} x ${pesos(price, european)}`);
    if (reason === 'bad_invoice_line') said.push('y lo de siempre');
    const off = reason === 'lines_do_not_add_up' ? 1_000 : 0;
    return [
      id,
      practice.client(random, reason),
      reason === 'required' ? '' : date(random, 19_000 + random.below(700)),
      said.join('\n'),
      reason === 'ambiguous_number' ? '1.234' : pesos(subtotal, european),
      pesos(tax, european),
      pesos(subtotal + tax + off, european),
      random.pick(['Efectivo', 'Tarjeta', 'Transferencia', 'Vales']),
      random.pick(['Sí', 'No']),
    ];
  },
};

/** A day in one of the document's first three formats; `plain`: in the first, whose order nobody mistakes. */
function date(random: Random, day: number, plain = false): string {
  const iso = new Date(day * 86_400_000).toISOString().slice(0, 10);
  const format = plain ? 0 : random.below(3);
  if (format === 0) return iso;
  return iso
    .split('-')
    .reverse()
    .join(format === 1 ? '/' : '-');
}

function telephone(random: Random): string {
  const digits = `55${String(10_000_000 + random.below(89_999_999))}`;
  return random.pick([
    digits,
    `+52 ${digits}`,
    `(${digits.slice(0, 2)}) ${digits.slice(2, 6)}-${digits.slice(6)}`,
    ` ${digits.slice(0, 2)} ${digits.slice(2, 6)} ${digits.slice(6)}`,
  ]);
}

function kilograms(random: Random): string {
  const tenths = 1 + random.below(400);
  const text = `${Math.floor(tenths / 10)}.${tenths % 10}`;
  return random.pick([text, `${text} kg`, text.replace('.', ','), '']);
}

function pesos(cents: number, european: boolean): string {
  const [whole = '', fraction = ''] = (cents / 100).toFixed(2).split('.');
  const grouped = whole.replace(/\B(?=(?:\d{3})+$)/g, european ? '.' : ',');
  return european ? `${grouped},${fraction}` : `$${grouped}.${fraction}`;
}
