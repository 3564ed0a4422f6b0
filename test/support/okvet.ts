import { readFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import okvetImport from '../../pipelines/okvet-import/index.js';
import { FILES } from '../../samples/okvet-import/generate.js';
import { FILE_NAMES, type FileName, PRACTICE } from '../../samples/okvet-import/practice.js';
import type { Row } from '../../src/core/row.js';
import type { Source } from '../../src/core/types.js';
import { fileSource } from '../../src/sources/file.js';
import { memory } from '../../src/sources/memory.js';
import { type TestDatabase, templateDatabase, testDatabase } from './database.js';
import { checksum, type Options, runOn, type Told } from './lots.js';

/** A practice's database without rows. */
export async function practiceDatabase(t: TestContext): Promise<TestDatabase> {
  const schema = await readFile(new URL('schema.sql', FILES), 'utf8');
  const template = await templateDatabase('practice', async (query) => void (await query(schema)), schema);
  return testDatabase(t, { template });
}

/** The six files in `folder`, each in its encoding; default: those of the sample. */
export function practiceFiles(folder = fileURLToPath(new URL('files', FILES))): Record<string, Source> {
  return Object.fromEntries(
    FILE_NAMES.map((name) => [
      name,
      fileSource(`${folder}/${name}.csv`, { encoding: PRACTICE[name].encoding.replace('utf8', 'utf-8') }),
    ]),
  );
}

/** Records of the old system by input; fields that are left out have no value. */
export type Records = Partial<Record<FileName, readonly Row[]>>;

/** Sources of records in memory. */
export function memories(records: Records): Record<string, Source> {
  return Object.fromEntries(Object.entries(records).map(([name, rows]) => [name, memory(name, rows)]));
}

/** Imports records in this process, whatever their rejects. */
export function importing(
  t: TestContext,
  database: TestDatabase,
  records: Records,
  options: Options = {},
): Promise<Told> {
  return runOn(t, database, okvetImport, {
    inputs: memories(records),
    maxRejects: { share: 1 },
    ...options,
  });
}

/** Two clients with a pet each, one of the pets with a visit; all good. */
export const GOOD = {
  clients: [
    { 'ID Cliente': '1', Nombre: 'ANA', Apellidos: 'Ríos', 'Correo electrónico': 'Ana@Example.com' },
    { 'ID Cliente': '2', 'Razón social': 'Refugio Patitas', Teléfono: '55 1234 5678' },
  ],
  pets: [
    {
      'ID Mascota': 'P1',
      'ID Cliente': '1',
      Nombre: 'Luna',
      Especie: 'Perro',
      'Fecha de nacimiento': '01/02/2020',
    },
    { 'ID Mascota': 'P2', 'ID Cliente': '2', Nombre: 'Kiwi', Especie: 'Ave' },
  ],
  medical_records: [{ 'ID Expediente': 'E1', 'ID Mascota': 'P1', Fecha: '2023-05-06', Motivo: 'Cojera' }],
} satisfies Records;

/** A checksum of every table of the practice; to compare two databases, without when their rows came. */
export async function practiceContents(
  database: TestDatabase,
  { without = '' }: { readonly without?: 'created_at' | '' } = {},
): Promise<Record<string, string>> {
  const sums: Record<string, string> = {};
  for (const name of FILE_NAMES)
    sums[name] = await checksum(database, `SELECT to_jsonb(x) - '${without}' FROM public.${name} x`);
  return sums;
}

/** The rejects of a batch: input, line, reason, field. */
export async function rejectsOf(database: TestDatabase, batch: string | null): Promise<string[]> {
  const rows = await database.query<{ said: string }>(
    `SELECT concat_ws(' ', regexp_replace(input, '.*/|\\.csv$', '', 'g'), line, reason, column_name) AS said
     FROM sluice.migration_reject WHERE batch_id = $1 ORDER BY input, line`,
    [batch],
  );
  return rows.map((row) => row.said);
}
