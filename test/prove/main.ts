import { parseArgs } from 'node:util';
import { acquireEmbedded } from '../../src/db/embedded/index.js';
import { testServerOptions } from '../support/server.js';
import { Place } from './place.js';
import { clean, cutOnce } from './prove.js';
import { SCENARIOS } from './scenarios.js';
import { FAULTS } from './wire.js';

// npm run prove -- [--every 1] [--from 0] [--only WORD] [--at K --fault before|after|swallowed]
// Each command is cut at each of its messages, in three ways; --every N: at every Nth, from the --from-th on.
const { values } = parseArgs({
  options: {
    every: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    only: { type: 'string' },
    at: { type: 'string' },
    fault: { type: 'string' },
    show: { type: 'boolean' },
  },
});
const [every, from] = [Number(values.every), Number(values.from)];
const given = process.env.SLUICE_TEST_URL;
const server = given === undefined ? await acquireEmbedded(testServerOptions()) : undefined;
const place = await Place.open(given ?? (server?.url as string));
const began = performance.now();
let [cut, wrong, all] = [0, 0, 0];
for (const scenario of SCENARIOS) {
  if (values.only !== undefined && !scenario.name.includes(values.only)) continue;
  const known = await clean(place, scenario);
  if (values.show === true) console.log(JSON.stringify({ ...known, files: undefined }, null, 1));
  const ends: Record<string, number> = {};
  let bad = 0;
  for (let at = 1; at <= known.messages; at++)
    for (const [way, fault] of FAULTS.entries()) {
      all += 1;
      if (
        values.at === undefined
          ? (at * FAULTS.length + way) % every !== from % every
          : at !== Number(values.at)
      )
        continue;
      if (values.fault !== undefined && values.fault !== fault) continue;
      const then = performance.now();
      const outcome = await cutOnce(place, scenario, known, { at, fault });
      cut += 1;
      if (values.show === true) console.log(`${fault} ${at}: ${Math.round(performance.now() - then)} ms`);
      ends[outcome.end] = (ends[outcome.end] ?? 0) + 1;
      for (const each of outcome.wrong) {
        bad += 1;
        console.log(`  ${fault} message ${at} of ${known.messages} (${outcome.struck}): ${each}`);
        console.log(`    npm run prove -- --only '${scenario.name}' --at ${at} --fault ${fault}`);
      }
    }
  wrong += bad;
  const said = Object.entries(ends)
    .map(([end, n]) => `${end} ${n}`)
    .join(', ');
  console.log(`${scenario.name}: ${known.messages} messages; ${said}; ${bad} wrong`);
}
const seconds = Math.round((performance.now() - began) / 1000);
console.log(`${cut} of ${all} cuts in ${seconds} s, ${wrong} wrong`);
await place.close();
await server?.release();
process.exit(wrong === 0 ? 0 : 1);
