import { execFile } from 'node:child_process';
import { parseArgs, promisify } from 'node:util';
import pg from 'pg';
import { addressOf } from '../../src/db/address.js';
import { PgDatabase } from '../../src/db/connect.js';
import { acquireEmbedded } from '../../src/db/embedded/index.js';
import { ident } from '../../src/db/quote.js';
import { eachTable, MODES, type Mode, type Outcome, tally } from '../support/each-table.js';
import { testServerOptions } from '../support/server.js';

// npm run tables -- FILE.sql …: makes a database out of the files (by psql, in the order given), takes every table of it
// through replace, append, merge, patch and sync and back, and compares the catalog each time.
//   --url URL        a server to use instead of the embedded one (SLUICE_TEST_URL is another way to say it)
//   --mode MODE      only that mode; repeatable
//   --only REGEXP    only tables (schema.table) that match
//   --keep           keep the database
//   --verbose        refusals, too

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: 'string' },
    mode: { type: 'string', multiple: true },
    only: { type: 'string' },
    keep: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});
if (positionals.length === 0) {
  console.error('which schema? npm run tables -- FILE.sql …');
  process.exit(2);
}
const given = values.url ?? process.env.SLUICE_TEST_URL;
const server = given === undefined ? await acquireEmbedded(testServerOptions()) : undefined;
const url = new URL(given ?? (server?.url as string));
const name = `tables_${process.pid}`;
const control = new pg.Client({ connectionString: url.href });
await control.connect();
await control.query(`CREATE DATABASE ${ident(name)} TEMPLATE template0`);
try {
  url.pathname = `/${name}`;
  for (const file of positionals)
    await promisify(execFile)('psql', ['-q', '-X', '-f', file, url.href], { maxBuffer: 1e9 });
  const session = new pg.Client({ connectionString: url.href });
  await session.connect();
  const database = new PgDatabase({
    url: url.href,
    described: addressOf(url.href, 'the test').described,
    from: 'the test',
  });
  const outcomes: Outcome[] = [];
  const modes = (values.mode as Mode[] | undefined) ?? MODES;
  const only = values.only === undefined ? {} : { only: new RegExp(values.only) };
  for await (const outcome of eachTable(database, session, { modes, ...only })) {
    outcomes.push(outcome);
    const { table, mode, what, details } = outcome;
    if (what !== 'identical' && (values.verbose || !['refused', 'skipped'].includes(what)))
      console.log([`${table} ${mode}: ${what}`, ...details].join('\n    '));
  }
  await database.close();
  await session.end();
  const { counts, faults } = tally(outcomes);
  console.log(JSON.stringify(counts, null, 1));
  process.exitCode = faults.length === 0 ? 0 : 1;
} finally {
  if (values.keep) console.log(`kept: ${url.href}`);
  else await control.query(`DROP DATABASE ${ident(name)} WITH (FORCE)`);
  await control.end();
  await server?.release();
}
