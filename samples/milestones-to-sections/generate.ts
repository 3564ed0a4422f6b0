/**
 * Makes the old system at any size, the same for the same seed:
 *
 *   node dist/samples/milestones-to-sections/generate.js --instances 1000000 --suppliers 2000 --sqlite old.db
 *   node dist/samples/milestones-to-sections/generate.js --instances 1000000 --suppliers 2000 --into postgres://…
 */

import { rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import sqlite from 'node-sqlite3-wasm';
import type pg from 'pg';
import { elementAt } from '../element.js';
import { copyRows, fillAt } from '../fill-database.js';
import { runAsCommand } from '../generate-command.js';
import { sampleFile } from './sqlite.js';
import { type Cell, type Kind, type SystemOptions, system, type Table } from './system.js';

/** Rows of COPY text that are handed over together. */
const PIECE = 2000;

/** Makes the generated system as an SQLite file, in place of whatever was at `path`. */
export async function fillSqlite(path: string, options: SystemOptions): Promise<void> {
  for (const end of ['', '-wal', '-shm', '-journal']) await rm(path + end, { force: true });
  const database = new sqlite.Database(path);
  try {
    database.exec(await sampleFile('old/schema.sqlite.sql'));
    database.exec('BEGIN');
    for (const { name, columns, rows } of system(options)) {
      const insert = database.prepare(
        `INSERT INTO "${name}" (${columns.map(([column]) => `"${column}"`).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
      );
      try {
        for (const row of rows())
          insert.run(row.map((cell) => (typeof cell === 'boolean' ? Number(cell) : cell)));
      } finally {
        insert.finalize();
      }
    }
    database.exec('COMMIT');
  } finally {
    database.close();
  }
}

/** Fills the tables of old/schema.postgres.sql, which must be there and empty. One transaction. */
export async function fillPostgres(client: pg.Client, options: SystemOptions): Promise<void> {
  await client.query('BEGIN');
  for (const table of system(options)) {
    const columns = table.columns.map(([column]) => `"${column}"`).join(', ');
    await copyRows(client, `"${table.name}" (${columns})`, text(table));
  }
  await client.query('COMMIT');
  await client.query('ANALYZE');
}

/** COPY text of a table, in pieces. */
export function* text({ columns, rows }: Pick<Table, 'columns' | 'rows'>): Generator<string> {
  let lines: string[] = [];
  for (const row of rows()) {
    lines.push(`${row.map((cell, i) => field(cell, elementAt(columns, i)[1])).join('\t')}\n`);
    if (lines.length < PIECE) continue;
    yield lines.join('');
    lines = [];
  }
  if (lines.length > 0) yield lines.join('');
}

function field(cell: Cell, kind: Kind): string {
  if (cell === null) return '\\N';
  if (kind === 'moment') return new Date(Number(cell)).toISOString().slice(0, 23).replace('T', ' ');
  return String(cell).replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      instances: { type: 'string', default: '10000' },
      suppliers: { type: 'string', default: '100' },
      seed: { type: 'string', default: '7' },
      sqlite: { type: 'string' },
      into: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const options = {
    instances: Number(values.instances),
    suppliers: Number(values.suppliers),
    seed: Number(values.seed),
  };
  const { sqlite: file, into } = values;
  if (values.help || (file === undefined) === (into === undefined)) {
    process.stdout.write(
      'generate.js --instances N --suppliers N --seed N --sqlite FILE\ngenerate.js --instances N --suppliers N --seed N --into URL\n',
    );
    return;
  }
  if (Object.values(options).some((each) => !Number.isSafeInteger(each) || each < 0))
    throw new Error('--instances, --suppliers and --seed take whole numbers');
  if (file !== undefined) return fillSqlite(file, options);
  await fillAt(into ?? '', await sampleFile('old/schema.postgres.sql'), (client) =>
    fillPostgres(client, options),
  );
}

await runAsCommand(import.meta.url, main);
