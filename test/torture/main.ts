import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ScenarioName } from './scenarios.js';
import { ownVictim } from './server.js';
import { killsOf, torture } from './torture.js';

// npm run torture -- [--kills 200] [--seed 1] [--rows 8000] [--only lots|copy]
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    rows: { type: 'string', default: '8000' },
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
  const result = await torture({
    victim,
    kills: Number(values.kills),
    seed: Number(values.seed),
    rows: Number(values.rows),
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
} finally {
  await victim.end();
  rmSync(folder, { recursive: true, force: true });
}
