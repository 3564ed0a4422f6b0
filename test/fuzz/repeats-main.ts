import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { generator } from '../../samples/lot-consolidation/system.js';
import { type Probe, probes } from './probes.js';
import { repeated } from './repeats.js';

// npm run fuzz:repeats -- [--seconds 300] [--seed N] [--only WORD]
// The work is done in a thread that is watched: who is silent for a minute is far from linear.
const SILENCE_MS = 60_000;

interface Work {
  readonly seconds: number;
  readonly seed: number;
  readonly only: string;
}

type Said = { readonly at: string } | { readonly found: string[]; readonly tried: number };

if (isMainThread) await watch();
else {
  const { seconds, seed, only } = workerData as Work;
  const until = performance.now() + seconds * 1000;
  let tried = 0;
  const all = probes().filter(({ name }) => name.includes(only));
  const told = all.map(
    ({ name, run }): Probe => ({
      name,
      run(text) {
        parentPort?.postMessage({ at: `${name}, of ${JSON.stringify(text.slice(0, 12))}…` } satisfies Said);
        run(text);
      },
    }),
  );
  const found = repeated(told, generator(seed), (now) => {
    tried = now;
    return performance.now() < until;
  });
  parentPort?.postMessage({ found, tried } satisfies Said);
}

async function watch(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '300' },
      seed: { type: 'string' },
      only: { type: 'string', default: '' },
    },
  });
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  const work: Work = { seconds: Number(values.seconds), seed, only: values.only };
  const worker = new Worker(new URL(import.meta.url), { workerData: work });
  let at = 'nothing yet';
  let heard = performance.now();
  let ended: { readonly found: string[]; readonly tried: number } | undefined;
  const watchdog = setInterval(() => {
    if (performance.now() - heard < SILENCE_MS) return;
    console.log(`seed ${seed}: no end of ${at}`);
    process.exit(1);
  }, 500);
  worker.on('message', (said: Said) => {
    heard = performance.now();
    if ('at' in said) at = said.at;
    else ended = said;
  });
  worker.on('error', (error) => console.log(`seed ${seed}: ${error.stack}`));
  await new Promise((resolve) => worker.once('exit', resolve));
  clearInterval(watchdog);
  for (const line of ended?.found ?? []) console.log(line);
  console.log(`seed ${seed}: ${ended?.tried ?? 'unknown'} texts, ${ended?.found.length ?? 'unknown'} faults`);
  if (ended === undefined || ended.found.length > 0) process.exitCode = 1;
}
