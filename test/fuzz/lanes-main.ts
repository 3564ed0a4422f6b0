import { parseArgs } from 'node:util';
import pg from 'pg';
import { generator } from '../../samples/lot-consolidation/system.js';
import { acquireEmbedded } from '../../src/db/embedded/index.js';
import { ident } from '../../src/db/quote.js';
import { testServerOptions } from '../support/server.js';
import { compareLanes } from './lanes.js';

// npm run fuzz:lanes -- [--rows 10000000] [--seed N]
// Nearly valid CSV through both lanes, our reader's and the unparsed one, until there were so many records.
const { values } = parseArgs({
  options: { rows: { type: 'string', default: '10000000' }, seed: { type: 'string' } },
});
const wanted = Number(values.rows);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const given = process.env.SLUICE_TEST_URL;
const server = given === undefined ? await acquireEmbedded(testServerOptions()) : undefined;
const url = new URL(given ?? (server?.url as string));
const name = `t_lanes_${seed}`;
const admin = new pg.Client({ connectionString: url.href });
await admin.connect();
// One of that seed was kept for a look where it found something.
await admin.query(`DROP DATABASE IF EXISTS ${ident(name)} WITH (FORCE)`);
await admin.query(`CREATE DATABASE ${ident(name)}`);
url.pathname = `/${name}`;
const client = new pg.Client({ connectionString: url.href });
await client.connect();
const from = performance.now();
let told = from;
const tally = await compareLanes(client, seed, generator(seed), ({ records, found }) => {
  if (performance.now() - told > 60_000) {
    told = performance.now();
    console.log(`${records} records, ${found.length} differences`);
  }
  return records < wanted;
});
await client.end();
for (const line of tally.found) console.log(line);
const reasons = Object.entries(tally.reasons).map(([reason, times]) => `${reason} ${times}`);
console.log(
  `seed ${seed}: ${tally.texts} texts of ${tally.records} records in ${Math.round((performance.now() - from) / 1000)} s, ` +
    `${tally.raw} records unparsed, ${tally.refusedByServer} stretches refused by the server\n` +
    `gate: ${reasons.join(', ')}\n${tally.found.length} differences`,
);
if (tally.found.length === 0) await admin.query(`DROP DATABASE ${ident(name)} WITH (FORCE)`);
else process.exitCode = 1;
await admin.end();
await server?.release();
