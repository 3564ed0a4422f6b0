import { mkdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { acquireEmbedded } from '../../../src/db/embedded/index.js';
import { projectFolder } from '../../support/server.js';
import { median } from '../contest.js';
import { eventFiles, loadContests } from '../loads.js';
import { Place } from '../place.js';
import { cutOnce, loadOf, type Run, runOnce, type Work } from './measure.js';
import { type Load, simulate } from './model.js';
import { beyond, compared } from './show.js';

const HELP = `npm run bench:hosts -- [--rows N] [--runs N] [--workers 1,2,4] [--jobs N]

Loads one CSV file by workers on this machine, so many at a time in turn; compares the times with what a model makes of the
runs with one worker; then plays larger fleets through. Linux only: CPU is read from /proc.
  --rows     rows of the file (1000000)
  --runs     times round (3)
  --workers  how many workers, in turn; 0 is one host without any (0,1,2,4)
  --jobs     how many parts each has at a time, and sessions the host without any (1; the model is made of this)`;

/** How much more than the measured file is played through. */
const TIMES = 100;

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    runs: { type: 'string', default: '3' },
    workers: { type: 'string', default: '0,1,2,4' },
    jobs: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(HELP);
else
  await bench(
    Number(values.rows),
    Number(values.runs),
    values.workers.split(',').map(Number),
    Number(values.jobs),
  );

async function bench(rows: number, runs: number, workers: readonly number[], jobs: number): Promise<void> {
  const folder = join(projectFolder, '.sluice', 'bench');
  mkdirSync(folder, { recursive: true });
  const server = await acquireEmbedded({ directory: folder, durable: true });
  try {
    const url = new URL(server.url);
    url.pathname = '/bench_run';
    const place = new Place(folder, url.href);
    const [contest] = loadContests(place, rows, eventFiles(place, rows));
    if (contest === undefined) throw new Error('no work to measure');
    await contest.setUp();
    const postmaster = Number(
      readFileSync(join(server.dataDirectory, 'postmaster.pid'), 'utf8').split('\n')[0],
    );
    const cores = availableParallelism();
    for (const work of works(place, join(folder, `events-${rows}.csv`))) {
      const found: Run[] = [];
      for (let round = 1; round <= runs; round++)
        for (const many of workers) {
          await contest.prepare(rows);
          const run = await runOnce(place, work, { workers: many, jobs }, postmaster);
          process.stderr.write(`${work.name}, ${many} workers, run ${round}: ${run.load.toFixed(2)} s\n`);
          found.push(run);
        }
      const single = found.filter((run) => run.workers === 1 && run.jobs === 1);
      if (single.length === 0) {
        console.log(`\n${work.name}, ${rows.toLocaleString('en')} rows, ${jobs} at a time`);
        console.log(compared(workers.map((many) => standing(found, many))));
        continue;
      }
      await contest.prepare(rows);
      const load = loadOf(single, await cutOnce(place, work));
      console.log(
        `\n${work.name}, ${rows.toLocaleString('en')} rows, ${cores} cores for the workers and the server`,
      );
      console.log(compared(workers.map((many) => standing(found, many, { load, cores }))));
      console.log(`\nthe model beyond: ${load.parts * TIMES} parts, hosts of 2 cores with 2 parts at once`);
      console.log(
        beyond({ ...load, parts: load.parts * TIMES, aloneSeconds: load.aloneSeconds * TIMES }, rows * TIMES),
      );
    }
  } finally {
    await server.release();
  }
}

function standing(
  runs: readonly Run[],
  workers: number,
  model?: { readonly load: Load; readonly cores: number },
) {
  const own = runs.filter((run) => run.workers === workers);
  const of = (figure: (run: Run) => number) => median(own.map(figure));
  return {
    workers,
    load: of((run) => run.load),
    whole: of((run) => run.whole),
    workerCpu: of((run) => run.workerCpu),
    serverCpu: of((run) => run.serverCpu),
    ...(workers === 0 || model === undefined
      ? {}
      : {
          modelled: simulate(model.load, {
            hosts: workers,
            jobs: 1,
            hostCores: model.cores,
            serverCores: model.cores,
            onServer: true,
          }).loadSeconds,
        }),
  };
}

function works(place: Place, file: string): Work[] {
  const through = place.compiled('through-pipeline.js');
  return [
    {
      name: 'copy (text goes to the server as it is)',
      workers: ['copy'],
      run: ['copy', file, '--into', 'public.events', '--mode', 'replace'],
      env: {},
    },
    {
      name: 'three stages (map, validate, lookup)',
      workers: [through],
      run: ['run', through, '--source', file],
      env: { EVENTS_AS: 'csv', EVENTS_IN: 'parts' },
    },
  ];
}
