import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hostsTable, strikeHosts } from './hosts/hosts.js';
import { whyNoHosts } from './hosts/network.js';
import type { ScenarioName } from './scenarios.js';
import { ownVictim, type Victim } from './server.js';
import { stops, stopTable } from './stops.js';
import { killsOf, torture } from './torture.js';

// npm run torture -- [--kills 200] [--seed 1] [--rows 8000] [--only lots|copy|files]
// npm run torture -- --stops 60 [--seed 1] [--rows 150000]
// npm run torture -- --hosts 4 [--faults 200 | --faults 11-18 | --fault 17] [--seed 1] [--lanes 2]
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    rows: { type: 'string' },
    stops: { type: 'string' },
    only: { type: 'string' },
    hosts: { type: 'string' },
    faults: { type: 'string', default: '200' },
    fault: { type: 'string' },
    lanes: { type: 'string', default: '2' },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'sluice-torture-'));
// The server runs as another account where this one is root.
chmodSync(folder, 0o755);
process.chdir(folder);
const from = performance.now();
const secondsPassed = () => Math.round((performance.now() - from) / 1000);
try {
  if (values.hosts !== undefined) await striking(Number(values.hosts));
  else {
    const victim = await ownVictim(join(folder, '.sluice'));
    try {
      if (values.stops === undefined) await killing(victim);
      else await stopping(victim, Number(values.stops));
    } finally {
      await victim.end();
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function striking(hosts: number): Promise<void> {
  const why = await whyNoHosts();
  if (why !== undefined) {
    console.log(`skipped: ${why}`);
    return;
  }
  const { faults, fault, seed, lanes } = values;
  const [first, last] = (fault ?? (faults.includes('-') ? faults : `1-${faults}`)).split('-').map(Number);
  const numbers = Array.from(
    { length: (last ?? first ?? 0) - (first ?? 0) + 1 },
    (_, at) => (first ?? 0) + at,
  );
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
  const rounds = await strikeHosts({
    hosts,
    faults: numbers,
    seed: Number(seed),
    lanes: Number(lanes),
    folder,
    signal: stop.signal,
    say: (line) => console.log(line),
  });
  for (const line of hostsTable(rounds)) console.log(line);
  const struck = rounds.filter(({ what }) => what !== undefined).length;
  const wrong = rounds.filter((round) => round.wrong.length > 0).length;
  console.log(
    `${struck} of ${numbers.length} faults struck ${hosts} hosts in ${secondsPassed()} s (seed ${seed}; medians, in brackets the longest); after ${wrong} of them something was wrong`,
  );
  if (wrong > 0 || struck < numbers.length) process.exitCode = 1;
}

async function stopping(victim: Victim, count: number): Promise<void> {
  const {
    stops: made,
    early,
    wrong,
  } = await stops({
    victim,
    stops: count,
    seed: Number(values.seed),
    rows: Number(values.rows ?? 150_000),
    folder,
    say: (line) => console.log(line),
  });
  for (const line of stopTable(made)) console.log(line);
  console.log(
    `${made.length} commands stopped in ${secondsPassed()} s (seed ${values.seed}; milliseconds from the signal to the end), ${early} were done before; otherwise wrong: ${wrong.length}`,
  );
  if (wrong.length > 0) process.exitCode = 1;
}

async function killing(victim: Victim): Promise<void> {
  const result = await torture({
    victim,
    kills: Number(values.kills),
    seed: Number(values.seed),
    rows: Number(values.rows ?? 8_000),
    ...(values.only === undefined ? {} : { scenarios: [values.only as ScenarioName] }),
    say: (line) => console.log(line),
  });
  for (const line of result.torn) console.log(line);
  console.log(
    `${killsOf(result)} kills survived in ${result.rounds} rounds and ${secondsPassed()} s ` +
      `(seed ${values.seed}): ${result.resumed} resumed, ${result.swapped} swapped, ${result.rerun} run anew; ` +
      `rows lost: ${result.lost}, doubled: ${result.doubled}; ${result.looks} looks at live, torn: ${result.torn.length}; ` +
      `otherwise wrong: ${result.wrong.length}`,
  );
  if (result.lost + result.doubled + result.torn.length + result.wrong.length > 0) process.exitCode = 1;
}
