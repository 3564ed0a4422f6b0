import { PgDatabase } from '../../src/db/connect.js';
import { runPipeline } from '../../src/run/run.js';
import { findStaged, swapBatch } from '../../src/run/swap.js';
import { type ScenarioName, scenarios } from './scenarios.js';

// The process that is killed: node client.js <scenario> <url> run|resume|swap [batch]
// It says each phase on stdout as it begins, and at the end `done`, or `failed` and the error as JSON.
const [name, url, verb, batch] = process.argv.slice(2) as [ScenarioName, string, string, string];
const say = (word: string) => process.stdout.write(`${word}\n`);
const silent = () => {};
const log = { debug: silent, info: silent, warn: silent, error: silent };

const database = new PgDatabase({ url, described: 'the tortured database', from: 'the torture' });
const { pipeline, settings } = scenarios[name];
const options = {
  database,
  log,
  settings,
  events: { phase: (phase: string) => say(phase) },
  // A segment a chunk: a kill finds some committed and some not.
  segmentBytes: 1,
  maxRejects: { rows: 1_000_000 },
  ...(verb === 'resume' ? { resume: batch } : {}),
};
try {
  if (verb === 'swap') await swapBatch(pipeline(), await findStaged(database, batch), options);
  else await runPipeline(pipeline(), options);
  say('done');
} catch (error) {
  const { code, message, facts } = error as { code?: string; message: string; facts?: { next?: unknown } };
  say(`failed ${JSON.stringify({ code, message, next: facts?.next })}`);
} finally {
  await database.close();
}
