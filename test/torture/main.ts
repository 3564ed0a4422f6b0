import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ScenarioName } from './scenarios.js';
import { ownVictim } from './server.js';
import { stops, stopTable } from './stops.js';
import { killsOf, torture } from './torture.js';

// npm run torture -- [--kills 200] [--seed 1] [--rows 8000] [--only lots|copy|files]
// npm run torture -- --stops 60 [--seed 1] [--rows 150000]
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    rows: { type: 'string' },
    stops: { type: 'string' },
    only: { type: 'string' },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'sluice-torture-'));
// The server runs as another account where this one is root.
chmodSync(folder, 0o755);
process.chdir(folder);
const victim = await ownVictim(join(folder, '.sluice'));
const from = performance.now();
try {
  if (values.stops === undefined) await killing();
  else await stopping(Number(values.stops));
} finally {
  await victim.end();
  rmSync(folder, { recursive: true, force: true });
}

async function stopping(count: number): Promise<void> {
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
  const seconds = Math.round((performance.now() - from) / 1000);
  console.log(
    `${made.length} commands stopped in ${seconds} s (seed ${values.seed}; milliseconds from the signal to the end), ${early} were done before; otherwise wrong: ${wrong.length}`,
  );
  if (wrong.length > 0) process.exitCode = 1;
}

async function killing(): Promise<void> {
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
    `${killsOf(result)} kills survived in ${result.rounds} rounds and ${Math.round((performance.now() - from) / 1000)} s ` +
      `(seed ${values.seed}): ${result.resumed} resumed, ${result.swapped} swapped, ${result.rerun} run anew; ` +
      `rows lost: ${result.lost}, doubled: ${result.doubled}; ${result.looks} looks at live, torn: ${result.torn.length}; ` +
      `otherwise wrong: ${result.wrong.length}`,
  );
  if (result.lost + result.doubled + result.torn.length + result.wrong.length > 0) process.exitCode = 1;
}
