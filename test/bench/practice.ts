import { mkdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { FILES, writePractice } from '../../samples/okvet-import/generate.js';
import { FILE_NAMES, PRACTICE } from '../../samples/okvet-import/practice.js';
import { acquireEmbedded } from '../../src/db/embedded/index.js';
import { ident } from '../../src/db/quote.js';
import type { Query } from '../support/database.js';
import { compareRejects } from '../support/practice.js';
import { projectFolder } from '../support/server.js';
import { type Measured, measure } from './measure.js';
import { Place } from './place.js';

const HELP = `npm run practice -- [--clients N] [--seed N] [--records all|errors|none]

Generates a veterinary practice, imports it by \`sluice run okvet-import\`, and compares every rejected row with
the bad rows that the generator has planted; then imports it again and rolls it back.
  --clients  how many (200000: with 300000 pets, 1000000 medical records and 250000 others)
  --seed     which practice (7)
  --records  which records the ledger keeps (all)
SLUICE_TEST_URL names a server; without it, one of the benchmark's own is used.`;

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '7' },
    records: { type: 'string', default: 'all' },
    help: { type: 'boolean', default: false },
  },
});

const DATABASE = 'sluice_practice';

if (values.help) console.log(HELP);
else await main(Number(values.clients), Number(values.seed), values.records);

async function main(clients: number, seed: number, records: string): Promise<void> {
  if (!Number.isSafeInteger(clients) || clients < 100)
    throw new Error('--clients takes a number from 100 on');
  const folder = join(projectFolder, '.sluice', 'bench', `practice-${clients}-${seed}`);
  mkdirSync(folder, { recursive: true });
  const given = process.env.SLUICE_TEST_URL;
  const server =
    given === undefined ? await acquireEmbedded({ directory: join(folder, '..'), durable: true }) : undefined;
  try {
    const admin = given ?? (server?.url as string);
    const from = performance.now();
    const bad = await writePractice(folder, { clients, seed });
    console.log(`generated in ${((performance.now() - from) / 1000).toFixed(1)} s, ${bad} bad rows planted`);
    await query(admin, [
      `DROP DATABASE IF EXISTS ${ident(DATABASE)} WITH (FORCE)`,
      `CREATE DATABASE ${ident(DATABASE)} TEMPLATE template0`,
    ]);
    const url = new URL(admin);
    url.pathname = `/${DATABASE}`;
    await query(url.href, [await readFile(new URL('schema.sql', FILES), 'utf8')]);
    await imports(new Place(folder, url.href), folder, bad, records);
    await query(admin, [`DROP DATABASE ${ident(DATABASE)} WITH (FORCE)`]);
  } finally {
    await server?.release();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function imports(place: Place, folder: string, bad: number, records: string): Promise<void> {
  const run = place.sluice([
    ...['run', 'okvet-import', '--execute', '--yes', '--quiet', '--max-rejects', '10%', '--records', records],
    ...FILE_NAMES.flatMap((name) => ['--input', `${name}=${join(folder, `${name}.csv`)}`]),
    ...FILE_NAMES.flatMap((name) =>
      PRACTICE[name].encoding === 'latin1' ? ['--encoding', `${name}=latin1`] : [],
    ),
  ]);
  const first = await measure({ ...run, codes: [4] });
  const client = new pg.Client({ connectionString: place.url });
  await client.connect();
  try {
    const ask: Query = async (sql, parameters = []) => (await client.query(sql, [...parameters])).rows;
    const [batch] = await ask<{ id: string; total: string; error: string }>(
      'SELECT id::text, total_records::text AS total, error_count::text AS error FROM sluice.migration_batch ORDER BY id DESC LIMIT 1',
    );
    const { id, total } = batch as { id: string; total: string };
    tell(`imported ${total} rows (records: ${records})`, first, Number(total));
    const { planted, missed, unexpected } = await compareRejects(ask, id, folder);
    console.log(
      `planted ${planted}, found with the planted reason ${planted - missed.length}, rejected besides ${unexpected.length}`,
    );
    for (const line of [...missed, ...unexpected].slice(0, 20)) console.log(`  ${line}`);
    if (missed.length + unexpected.length > 0 || planted !== bad) process.exitCode = 1;
    const second = await measure({ ...run, codes: [4] });
    tell('imported the same again', second, Number(total));
    // The second import found nothing to do and published nothing, so there is only the first to take back.
    const back = await measure(place.sluice(['rollback', id, '--yes', '--quiet']));
    tell('rolled back', back, undefined);
    const left = await ask<{ rows: string }>(
      `SELECT (${FILE_NAMES.map((name) => `(SELECT count(*) FROM ${ident(name)})`).join(' + ')})::text AS rows`,
    );
    console.log(`${left[0]?.rows} rows are left`);
    if (left[0]?.rows !== '0') process.exitCode = 1;
  } finally {
    await client.end();
  }
}

function tell(what: string, { seconds, cpuSeconds, peakMb }: Measured, rows: number | undefined): void {
  const parts = [
    `${seconds.toFixed(1)} s`,
    ...(rows === undefined ? [] : [`${Math.round(rows / seconds)} rows/s`]),
    ...(cpuSeconds === null ? [] : [`${cpuSeconds.toFixed(1)} s of CPU`]),
    ...(peakMb === null ? [] : [`${Math.round(peakMb)} MB at most`]),
  ];
  console.log(`${what}: ${parts.join(', ')}`);
}

async function query(url: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
