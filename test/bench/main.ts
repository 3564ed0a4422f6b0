import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { acquireEmbedded } from '../../src/db/embedded/index.js';
import { projectFolder } from '../support/server.js';
import { hold, type Result } from './contest.js';
import { exportContests } from './exports.js';
import { eventFiles, loadContests } from './loads.js';
import { lotContests } from './lots.js';
import { Place } from './place.js';
import { show } from './show.js';

const HELP = `npm run bench -- [--rows N] [--runs N] [--slow-rows N] [--only WORD] [--out FILE]

Sluice against other ways of doing the same work, on a PostgreSQL server of the benchmark's own: the same
data, the same finished tables (compared by checksum), one process after the other in turn, medians.
  --rows       rows of each work (200000; the README's figures are of 2000000)
  --runs       times round (5)
  --slow-rows  rows for the row-by-row script, which would take hours for all (20000)
  --only       some of the works: csv, one-session, unchanged, changed, stages, threads, jsonl, sqlite, records, lots, piped,
               export, export-gz
               (separated by commas)
  --out        where to write the figures as JSON`;

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '200000' },
    runs: { type: 'string', default: '5' },
    'slow-rows': { type: 'string', default: '20000' },
    only: { type: 'string' },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(HELP);
else await bench(count('rows'), count('runs'), count('slow-rows'));

function count(name: 'rows' | 'runs' | 'slow-rows'): number {
  const number = Number(values[name]);
  if (!Number.isSafeInteger(number) || number < 1) throw new Error(`--${name} takes a number from 1 on`);
  return number;
}

async function bench(rows: number, runs: number, slowRows: number): Promise<void> {
  const folder = join(projectFolder, '.sluice', 'bench');
  mkdirSync(folder, { recursive: true });
  const say = (text: string) => process.stderr.write(`${text}\n`);
  // Durable, as a server that is somebody's; nothing else is tuned for anyone.
  const server = await acquireEmbedded({ directory: folder, durable: true });
  try {
    const url = new URL(server.url);
    url.pathname = '/bench_run';
    const place = new Place(folder, url.href);
    const contests = [
      ...loadContests(place, rows, eventFiles(place, rows)),
      ...exportContests(place, rows, eventFiles(place, rows)),
      ...lotContests(place, rows, slowRows),
    ].filter(({ key }) => values.only === undefined || values.only.split(',').includes(key));
    const results: Result[] = [];
    for (const contest of contests) {
      results.push(await hold(contest, runs, say));
      for (const name of readdirSync(folder)) if (/^migration_backup/.test(name)) rmSync(join(folder, name));
    }
    console.log(show(results));
    const machine = {
      cpus: availableParallelism(),
      memoryMb: Math.round(totalmem() / 2 ** 20),
      node: process.version,
      postgres: (await place.query('SHOW server_version', server.url))[0]?.server_version,
    };
    console.log(`\n${machine.cpus} CPUs, Node ${machine.node}, PostgreSQL ${machine.postgres}`);
    if (values.out !== undefined)
      writeFileSync(values.out, `${JSON.stringify({ rows, runs, machine, results }, null, 1)}\n`);
  } finally {
    await server.release();
  }
}
