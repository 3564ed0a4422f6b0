import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type Fuzzed, fuzz } from './fuzz.js';

// npm run fuzz -- [--seconds 60] [--seed N]
// The work is done in a thread of bounded memory, which is watched: one that is silent hangs.
const SILENCE_MS = 15_000;
const MEMORY_MB = 192;

if (isMainThread) await watch();
else {
  const { seconds, seed, fifo } = workerData as { seconds: number; seed: number; fifo: string };
  const until = performance.now() + seconds * 1000;
  let told = 0;
  const fuzzed = await fuzz(seed, fifo, (inputs) => {
    const now = performance.now();
    if (now - told > 500) {
      told = now;
      parentPort?.postMessage({ inputs: { ...inputs } });
    }
    return now < until;
  });
  parentPort?.postMessage({ fuzzed });
}

async function watch(): Promise<void> {
  const { values } = parseArgs({
    options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } },
  });
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-fuzz-'));
  const worker = new Worker(new URL(import.meta.url), {
    workerData: { seconds: Number(values.seconds), seed, fifo: join(folder, 'fifo') },
    // Sockets over FIFOs close their descriptors themselves.
    trackUnmanagedFds: false,
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
  });
  let heard = performance.now();
  let inputs: Fuzzed['inputs'] = { csv: 0, jsonl: 0, json: 0 };
  let fuzzed: Fuzzed | undefined;
  const watchdog = setInterval(() => {
    if (performance.now() - heard < SILENCE_MS) return;
    console.log(`a reader hangs: seed ${seed}, after ${JSON.stringify(inputs)}`);
    process.exit(1);
  }, 500);
  worker.on('message', (message: { inputs?: Fuzzed['inputs']; fuzzed?: Fuzzed }) => {
    heard = performance.now();
    inputs = message.inputs ?? inputs;
    fuzzed = message.fuzzed ?? fuzzed;
  });
  worker.on('error', (error) => console.log(`seed ${seed}: ${error.stack}`));
  await new Promise((resolve) => worker.once('exit', resolve));
  clearInterval(watchdog);
  rmSync(folder, { recursive: true, force: true });
  for (const line of fuzzed?.found ?? []) console.log(line);
  const { csv, jsonl, json } = fuzzed?.inputs ?? inputs;
  console.log(
    `${csv + jsonl + json} inputs (CSV ${csv}, JSON Lines ${jsonl}, JSON ${json}), seed ${seed}: ${fuzzed?.found.length ?? 'unknown'} disagreements; at most ${MEMORY_MB} MB of heap`,
  );
  if (fuzzed === undefined || fuzzed.found.length > 0) process.exitCode = 1;
}
