/**
 * Makes the old LOT system at any size, the same for the same seed:
 *
 *   node dist/samples/lot-consolidation/generate.js --serials 1000000 --seed 7 > serials.csv
 *   node dist/samples/lot-consolidation/generate.js --serials 1000000 --seed 7 --into postgres://…
 *
 * The first writes what export.sql gives on the second.
 */

import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type pg from 'pg';
import { elementAt } from '../element.js';
import { copyRows, fillAt } from '../fill-database.js';
import { sampleFolder } from '../folder.js';
import { runAsCommand, writePieces } from '../generate-command.js';
import { generator, groups, type Lot, lineAt, models, type SystemOptions } from './system.js';

/** The columns of export.sql, in its order. */
export const COLUMNS = [
  'lot_id',
  'lot_number',
  'production_line_id',
  'line_code',
  'product_model_id',
  'model_code',
  'production_month',
  'lot_status',
  'target_quantity',
  'lot_created_at',
  'closed_at',
  'serial_id',
  'serial_number',
  'serial_status',
  'serial_created_at',
] as const;

/** Where this sample's .sql files are. */
export const FILES = sampleFolder('lot-consolidation');

/** The export as CSV text in pieces of one group each, header first; no value needs quotes. */
export function* csv(options: SystemOptions): Generator<string> {
  yield `${COLUMNS.join(',')}\n`;
  for (const group of groups(options)) {
    let text = '';
    for (const lot of group) {
      const head = `${lot.id},${lot.number},${lot.line[0]},${lot.line[1]},${lot.model[0]},${lot.model[1]},${lot.month},${lot.status},100,${lot.createdAt},${lot.closedAt ?? ''},`;
      for (const { id, number, status, createdAt } of lot.serials)
        text += `${head}${id},${number},${status},${createdAt}\n`;
      if (lot.serials.length === 0) text += `${head},,,\n`;
    }
    yield text;
  }
}

/** The same lines in an order that only the seed knows. Holds them all in memory. */
export function* shuffledCsv(options: SystemOptions): Generator<string> {
  const lines: string[] = [];
  for (const text of csv(options)) for (const line of text.split('\n')) if (line !== '') lines.push(line);
  yield `${lines.shift()}\n`;
  const random = generator(options.seed + 1);
  for (let i = lines.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [lines[i], lines[j]] = [elementAt(lines, j), elementAt(lines, i)];
  }
  for (let i = 0; i < lines.length; i += 1000) yield `${lines.slice(i, i + 1000).join('\n')}\n`;
}

/**
 * Fills the tables of schema.sql, which must be there and empty, with the generated system; every 50th
 * serial has an inspection. One transaction.
 */
export async function fill(client: pg.Client, options: SystemOptions): Promise<void> {
  await client.query('BEGIN');
  await copyRows(client, 'public.product_models (id, model_code, name)', [tsv(models)]);
  await copyRows(client, 'public.production_lines (id, line_code, name)', lineRows(options));
  const lotColumns =
    'id, lot_number, production_line_id, product_model_id, production_month, status, created_at, closed_at';
  await copyRows(client, `public.lots (${lotColumns})`, perGroup(options, lotRow));
  await copyRows(
    client,
    'public.serials (id, lot_id, serial_number, status, created_at)',
    perGroup(options, serialRows),
  );
  await client.query(`
    INSERT INTO public.inspections (serial_id, result, inspected_at)
    SELECT id, CASE WHEN id % 500 = 0 THEN 'fail' ELSE 'pass' END, created_at + interval '1 hour'
    FROM public.serials WHERE id % 50 = 0`);
  for (const table of ['production_lines', 'product_models', 'lots', 'serials']) {
    await client.query(`
      SELECT setval(pg_get_serial_sequence('public.${table}', 'id'), max(id)) FROM public.${table} HAVING count(*) > 0`);
  }
  await client.query('COMMIT');
  await client.query('ANALYZE');
}

function* perGroup(options: SystemOptions, rows: (lot: Lot) => string): Generator<string> {
  for (const group of groups(options)) yield group.map(rows).join('');
}

function* lineRows(options: SystemOptions): Generator<string> {
  let lines = 0;
  for (const [lot] of groups(options)) lines = Math.max(lines, Number(lot?.line[0]));
  yield tsv(Array.from({ length: lines }, (_, i) => lineAt(i)));
}

function lotRow(lot: Lot): string {
  const { id, number, line, model, month, status, createdAt, closedAt } = lot;
  return tsv([[id, number, line[0], model[0], month, status, createdAt, closedAt ?? '\\N']]);
}

function serialRows(lot: Lot): string {
  return tsv(lot.serials.map(({ id, number, status, createdAt }) => [id, lot.id, number, status, createdAt]));
}

/** COPY text format; the generator makes no character that needs an escape. */
function tsv(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.join('\t')}\n`).join('');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      serials: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '7' },
      shuffle: { type: 'boolean', default: false },
      into: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(
      'generate.js --serials N --seed N [--shuffle] > serials.csv\ngenerate.js --serials N --seed N --into URL\n',
    );
    return;
  }
  const options = { serials: Number(values.serials), seed: Number(values.seed) };
  if (!Number.isSafeInteger(options.serials) || options.serials < 0 || !Number.isSafeInteger(options.seed)) {
    throw new Error('--serials takes a number of rows, --seed an integer');
  }
  if (values.into === undefined) {
    await writePieces(values.shuffle ? shuffledCsv(options) : csv(options), process.stdout);
    return;
  }
  await fillAt(values.into, await readFile(new URL('schema.sql', FILES), 'utf8'), (client) =>
    fill(client, options),
  );
}

await runAsCommand(import.meta.url, main);
