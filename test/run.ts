import { once, setMaxListeners } from 'node:events';
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import pg from 'pg';
import { SluiceError } from '../src/core/errors/sluice-error.js';
import { ident } from '../src/db/quote.js';
import { acquireTestServer, projectFolder, testFiles } from './support/server.js';
import { slowest, watchDurations } from './support/slowest.js';
import { together } from './support/together.js';
import { watchUnfinished } from './support/unfinished.js';

// npm test: compiled test files against one server.
//   node dist/test/run.js              all but the slow and the long ones
//   node dist/test/run.js --all        all
//   node dist/test/run.js WORD …       those whose path holds one of the words
//   node dist/test/run.js --serve      only start the server, to look at databases that failed tests kept
// SLUICE_TEST_URL: a server to use instead. SLUICE_TEST_PG_BIN: the bin directory of another PostgreSQL.

/** Many times what the slowest process needs: a loaded machine is no failure, waiting for ever is one. */
const PROCESS_MS = 1_800_000;

/** Files that are named at the end, with what they took. */
const SLOWEST = Number(process.env.SLUICE_TEST_SLOWEST ?? 10);

/** Names of databases that tests copy; see templateDatabase. */
const TEMPLATES = '(new_)?tpl_.*';

// What commands under test say is not to depend on whether npm has started the tests.
delete process.env.npm_command;

const words = process.argv.slice(2);
const stopped = new AbortController();
// Every file listens to it.
setMaxListeners(0, stopped.signal);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopped.abort());

try {
  const given = process.env.SLUICE_TEST_URL;
  const server = given === undefined ? await acquireTestServer() : undefined;
  try {
    const url = given ?? (server?.url as string);
    if (words.includes('--serve')) await serve(url);
    else await runTests(url, server?.startedHere === true);
  } finally {
    await server?.release();
  }
} catch (error) {
  if (!(error instanceof SluiceError)) throw error;
  const { details = [], state, next = [] } = error.facts;
  console.error([error.message, ...details, state, ...[next].flat()].filter(Boolean).join('\n  '));
  process.exitCode = 1;
}

async function runTests(url: string, alone: boolean): Promise<void> {
  const files = testFiles(
    words.filter((word) => !word.startsWith('--')),
    words.includes('--all'),
  );
  if (files.length === 0) {
    console.error(`no compiled test file in dist/test has ${words.join(' or ')} in its path`);
    process.exitCode = 2;
    return;
  }
  // Nobody else is at work on a server that has just been started: what failed tests kept can go.
  if (alone) await drop(url, `t_[0-9a-f]{12}|${TEMPLATES}`);
  process.env.SLUICE_TEST_URL = url;
  if (words.length === 0) process.env.SLUICE_TEST_LONG = 'no';
  process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --enable-source-maps`.trim();
  // A test and the server take turns, and both wait now and then: a process for each core would leave some of it idle.
  const concurrency = Math.max(3, Math.ceil(1.5 * availableParallelism()));
  const { folder, started } = together(files, concurrency);
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const tests = run({ files: started, concurrency, signal: stopped.signal, timeout: PROCESS_MS });
  const unfinished = watchUnfinished(tests);
  const durations = watchDurations(tests);
  tests.on('test:fail', ({ todo }) => {
    if (todo === undefined || todo === false) process.exitCode = 1;
  });
  const report = tests.compose(new spec());
  report.pipe(process.stdout);
  await once(report, 'end');
  if (stopped.signal.aborted) process.exitCode = 130;
  if (durations.size > 10)
    for (const line of slowest(durations, SLOWEST)) console.log(line.replace(projectFolder, '.'));
  for (const [file, names] of unfinished) {
    if (names.size > 0)
      console.log(`\nDid not end: ${relative(projectFolder, file)}: ${[...names].join(' > ')}`);
  }
  // Where the server's files lie in memory, templates would stay there for nothing.
  if (alone) await drop(url, TEMPLATES);
  const kept = await keptDatabases(url);
  if (process.exitCode !== undefined && kept.length > 0) {
    const self = relative(projectFolder, process.argv[1] as string);
    console.log(`\nKept for a look until the next run: ${kept.join(', ')}`);
    if (alone) console.log(`Start their server again with: node ${self} --serve`);
  }
}

async function serve(url: string): Promise<void> {
  console.log(`${url}\nKept by failed tests: ${(await keptDatabases(url)).join(', ') || 'none'}`);
  console.log('Ctrl-C stops the server.');
  const alive = setInterval(() => {}, 60_000);
  if (!stopped.signal.aborted) await once(stopped.signal, 'abort');
  clearInterval(alive);
}

async function keptDatabases(url: string): Promise<string[]> {
  return query(url, `SELECT datname FROM pg_database WHERE datname ~ '^t_[0-9a-f]{12}$' ORDER BY 1`);
}

/** Drops the databases whose whole name is like `pattern`. */
async function drop(url: string, pattern: string): Promise<void> {
  for (const name of await query(url, `SELECT datname FROM pg_database WHERE datname ~ '^(${pattern})$'`))
    await query(url, `DROP DATABASE ${ident(name)} WITH (FORCE)`);
}

async function query(url: string, sql: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<{ datname: string }>(sql)).rows.map((row) => row.datname);
  } finally {
    await client.end();
  }
}
