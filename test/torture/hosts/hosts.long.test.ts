import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hostsTable, missedKinds, strikeHosts } from './hosts.js';
import { whyNoHosts } from './network.js';

/** Each kind once, and each moment twice. */
const FAULTS = [1, 8, 15, 10, 17, 6];

const why = await whyNoHosts();

// `npm run torture -- --hosts 4` strikes more often.
test('whatever dies, is cut off or sleeps, a load by several hosts publishes every row once and leaves nothing over', {
  skip: why ?? false,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-hosts-'));
  chmodSync(folder, 0o755);
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const rounds = await strikeHosts({
    hosts: 4,
    faults: FAULTS,
    seed: 5,
    lanes: 2,
    folder,
    signal: t.signal,
    say: (line) => t.diagnostic(line),
  });
  for (const line of hostsTable(rounds)) t.diagnostic(line);
  assert.deepEqual(
    rounds.flatMap(({ fault, wrong }) => wrong.map((each) => `${fault.number}: ${each}`)),
    [],
  );
  assert.deepEqual(missedKinds(rounds), []);
});
