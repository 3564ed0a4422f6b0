/**
 * Makes the old recipe system at any size, the same for the same seed:
 *
 *   node dist/samples/recipe-snapshots/generate.js --runs 100000 --seed 7 > sample_data.json
 *   node dist/samples/recipe-snapshots/generate.js --runs 100000 --seed 7 --into postgres://…
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type pg from 'pg';
import { copyRows, fillAt } from '../fill-database.js';
import { sampleFolder } from '../folder.js';
import { runAsCommand, writePieces } from '../generate-command.js';
import {
  ingredients,
  type Made,
  productionRuns,
  recipeIngredients,
  recipeSnapshots,
  recipes,
  type SystemOptions,
} from './system.js';

/** Where this sample's files are. */
export const FILES = sampleFolder('recipe-snapshots');

/** The tables of a system in the order in which the document has them. */
function tables(options: SystemOptions) {
  return {
    production_runs: productionRuns(options),
    recipe_snapshots: recipeSnapshots(options),
    recipe_ingredients: recipeIngredients(options),
    ingredients: ingredients(),
    recipes: recipes(options),
  };
}

/** sample_data.json: one document with an array for every table, in pieces of some 64 kB. */
export function* document(options: SystemOptions): Generator<string> {
  let text = '{\n  "version": "1.0",\n  "application": "bakery"';
  for (const [name, rows] of Object.entries(tables(options))) {
    text += `,\n  ${JSON.stringify(name)}: [`;
    let first = true;
    for (const row of rows) {
      text += `${first ? '' : ','}\n    ${JSON.stringify(row)}`;
      first = false;
      if (text.length > 65_536) {
        yield text;
        text = '';
      }
    }
    text += '\n  ]';
  }
  yield `${text}\n}\n`;
}

/** Fills the tables of schema.sql, which must be there and empty. One transaction. */
export async function fill(client: pg.Client, options: SystemOptions): Promise<void> {
  await client.query('BEGIN');
  const { production_runs, recipe_snapshots, ...others } = tables(options);
  for (const [name, rows] of Object.entries(others)) await copy(client, name, rows);
  // Runs and snapshots point to each other: the links come last.
  await copy(client, 'production_runs', unlinked(production_runs));
  await copy(client, 'recipe_snapshots', recipe_snapshots);
  await client.query(
    'UPDATE public.production_runs r SET recipe_snapshot_id = s.id FROM public.recipe_snapshots s WHERE s.production_run_id = r.id',
  );
  for (const name of Object.keys(tables(options)))
    await client.query(
      `SELECT setval(pg_get_serial_sequence('public.${name}', 'id'), max(id)) FROM public.${name} HAVING count(*) > 0`,
    );
  await client.query('COMMIT');
  await client.query('ANALYZE');
}

function* unlinked(rows: Iterable<Made>): Generator<Made> {
  for (const row of rows) yield { ...row, recipe_snapshot_id: null };
}

async function copy(client: pg.Client, table: string, rows: Iterable<Made>): Promise<void> {
  const made = rows[Symbol.iterator]();
  const first = made.next();
  if (first.done === true) return;
  const columns = Object.keys(first.value).join(', ');
  const lines = function* () {
    for (let next: IteratorResult<Made> = first; next.done !== true; next = made.next())
      yield `${Object.values(next.value).map(copyText).join('\t')}\n`;
  };
  await copyRows(client, `public.${table} (${columns})`, lines());
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function copyText(value: Made[string]): string {
  if (value === null) return '\\N';
  return String(value).replace(/[\\\n\r\t]/g, (character) => ESCAPES[character] ?? character);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '7' },
      into: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(
      'generate.js --runs N --seed N > sample_data.json\ngenerate.js --runs N --seed N --into URL\n',
    );
    return;
  }
  const options = { runs: Number(values.runs), seed: Number(values.seed) };
  if (!Number.isSafeInteger(options.runs) || options.runs < 0 || !Number.isSafeInteger(options.seed))
    throw new Error('--runs takes a number of runs, --seed an integer');
  if (values.into === undefined) {
    await writePieces(document(options), process.stdout);
    return;
  }
  await fillAt(values.into, await readFile(new URL('schema.sql', FILES), 'utf8'), (client) =>
    fill(client, options),
  );
}

await runAsCommand(import.meta.url, main);
