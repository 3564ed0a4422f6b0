import { parseArgs } from 'node:util';
import pg from 'pg';
import { acquireEmbedded } from '../../src/db/embedded/index.js';
import { testServerOptions } from '../support/server.js';
import { BOUND_MS, cuts } from './cuts.js';

// npm run cuts -- [--rounds 100] [--seed N]
// Random cuts, freezes and delays at random moments of random commands, through a proxy. After each: does the command
// end in time, is what it says of live so, does the ledger agree, and is everything there once after following the advice?
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '100' }, seed: { type: 'string' } },
});
const rounds = Number(values.rounds);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const given = process.env.SLUICE_TEST_URL;
const server = given === undefined ? await acquireEmbedded(testServerOptions()) : undefined;
const url = new URL(given ?? (server?.url as string));
const name = `t_cuts_${seed}`;
const admin = new pg.Client({ connectionString: url.href });
await admin.connect();
await admin.query(`CREATE DATABASE ${name}`);
url.pathname = `/${name}`;
const from = performance.now();
let told = 0;
const tally = await cuts(url.href, seed, ({ rounds: done, wrong }) => {
  for (const line of wrong.slice(told)) console.log(line);
  told = wrong.length;
  if (done > 0 && done % 50 === 0) console.log(`${done} rounds, ${wrong.length} wrong`);
  return done < rounds;
});
for (const line of tally.wrong.slice(told)) console.log(line);
const shown = (of: Record<string, number>) =>
  Object.entries(of)
    .map(([what, n]) => `${what} ${n}`)
    .join(', ');
console.log(
  `seed ${seed}: ${tally.rounds} rounds in ${Math.round((performance.now() - from) / 1000)} s, in ${tally.struck} of them the fault came before the end\n` +
    `commands: ${shown(tally.commands)}\nfaults: ${shown(tally.faults)}\nended: ${shown(tally.ends)}\n` +
    `slowest ${Math.round(tally.slowestMs)} ms (bound ${BOUND_MS} ms), wrong: ${tally.wrong.length}`,
);
if (tally.wrong.length === 0) await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
await admin.end();
await server?.release();
process.exit(tally.wrong.length === 0 ? 0 : 1);
