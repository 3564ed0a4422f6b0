import type { ParquetWriter } from 'hyparquet-writer';
import type { FieldDef } from 'pg';
import { exportErrors } from '../core/errors/catalogue/export.js';

type SchemaElement = ConstructorParameters<typeof ParquetWriter>[0]['schema'][number];

/** A column of a Parquet file, and what becomes of PostgreSQL's text in it. */
export interface ParquetColumn {
  readonly element: SchemaElement;
  /** Throws failed `not_for_parquet`. */
  value(text: string): unknown;
}

/** OIDs of pg_catalog's types (pg_type.dat), which never change. */
const OID = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  float4: 700,
  float8: 701,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  numeric: 1700,
  uuid: 2950,
} as const;

/** The most digits of a DECIMAL that readers agree on (128 bits). */
const MOST_DIGITS = 38;

/** The Parquet column for a column of a query: every one may hold NULL. */
export function parquetColumn(field: FieldDef): ParquetColumn {
  const column = { name: field.name, repetition_type: 'OPTIONAL' } as const;
  const no = (type: string, value: string) =>
    exportErrors.not_for_parquet({ column: field.name, type, value });
  switch (field.dataTypeID) {
    case OID.bool:
      return { element: { ...column, type: 'BOOLEAN' }, value: (text) => text === 't' };
    case OID.int2:
    case OID.int4:
      return { element: { ...column, type: 'INT32' }, value: Number };
    case OID.int8:
      return { element: { ...column, type: 'INT64' }, value: BigInt };
    case OID.float4:
      return { element: { ...column, type: 'FLOAT' }, value: Number };
    case OID.float8:
      return { element: { ...column, type: 'DOUBLE' }, value: Number };
    case OID.bytea:
      return {
        element: { ...column, type: 'BYTE_ARRAY' },
        value: (text) => Buffer.from(text.slice(2), 'hex'),
      };
    case OID.uuid:
      return {
        element: {
          ...column,
          type: 'FIXED_LEN_BYTE_ARRAY',
          type_length: 16,
          logical_type: { type: 'UUID' },
        },
        value: (text) => text,
      };
    case OID.date:
      return {
        element: { ...column, type: 'INT32', converted_type: 'DATE' },
        value(text) {
          const micros = microsOf(`${text} 00:00:00`);
          if (micros === undefined) throw no('date', text);
          return Number(micros / DAY_MICROS);
        },
      };
    case OID.timestamp:
    case OID.timestamptz: {
      const utc = field.dataTypeID === OID.timestamptz;
      return {
        element: {
          ...column,
          type: 'INT64',
          converted_type: 'TIMESTAMP_MICROS',
          logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: utc, unit: 'MICROS' },
        },
        value(text) {
          const micros = microsOf(utc ? text.replace(/\+00$/, '') : text);
          if (micros === undefined) throw no(utc ? 'timestamptz' : 'timestamp', text);
          return micros;
        },
      };
    }
    case OID.numeric:
      return decimal(field) ?? text(field);
    default:
      return text(field);
  }
}

const text = ({ name }: FieldDef): ParquetColumn => ({
  element: {
    name,
    repetition_type: 'OPTIONAL',
    type: 'BYTE_ARRAY',
    converted_type: 'UTF8',
    logical_type: { type: 'STRING' },
  },
  value: (given) => given,
});

/** numeric(p,s) with a scale and digits that Parquet can have: of any other one the text is exact. */
function decimal({ name, dataTypeModifier }: FieldDef): ParquetColumn | undefined {
  if (dataTypeModifier < 4) return undefined;
  // As numeric_typmod_precision and numeric_typmod_scale (numeric.c) take it apart; the scale has a sign of 11 bits.
  const precision = ((dataTypeModifier - 4) >> 16) & 0xffff;
  const scale = (((dataTypeModifier - 4) & 0x7ff) ^ 1024) - 1024;
  if (scale < 0 || scale > precision || precision > MOST_DIGITS) return undefined;
  const bits =
    precision <= 18
      ? ({ type: 'INT64' } as const)
      : ({ type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16 } as const);
  return {
    element: {
      name,
      repetition_type: 'OPTIONAL',
      ...bits,
      converted_type: 'DECIMAL',
      logical_type: { type: 'DECIMAL', precision, scale },
      precision,
      scale,
    },
    value(given) {
      const parts = /^(-?\d+)(?:\.(\d+))?$/.exec(given);
      if (parts === null) throw exportErrors.not_for_parquet({ column: name, type: 'numeric', value: given });
      return BigInt(`${parts[1]}${(parts[2] ?? '').padEnd(scale, '0')}`);
    },
  };
}

const DAY_MICROS = 86_400_000_000n;

/** Microseconds since 1970 of an ISO timestamp without an offset; undefined of infinity, and of years before Christ or of five digits. */
function microsOf(given: string): bigint | undefined {
  const parts = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?$/.exec(given);
  if (parts === null) return undefined;
  const [, day, time, fraction = ''] = parts;
  return BigInt(Date.parse(`${day}T${time}Z`)) * 1000n + BigInt(fraction.padEnd(6, '0'));
}
