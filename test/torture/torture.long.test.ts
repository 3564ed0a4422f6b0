import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { serverUrl } from '../support/database.js';
import { sharedVictim } from './server.js';
import { stops, stopTable } from './stops.js';
import { killsOf, torture } from './torture.js';

// `npm run torture` kills more often, and the whole server, too.
test('clients and sessions are killed at random moments: no row is lost or doubled, live is never torn', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-torture-'));
  const before = process.cwd();
  process.chdir(folder);
  t.after(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true, force: true });
  });
  const result = await torture({ victim: sharedVictim(await serverUrl()), kills: 3, seed: 5, rows: 4000 });
  assert.deepEqual([result.torn, result.wrong], [[], []]);
  assert.deepEqual([result.lost, result.doubled], [0, 0]);
  assert.ok(killsOf(result) >= 3);
  assert.ok(result.looks > 10);
});

// `npm run torture -- --stops 60` stops more commands, and measures how long they take to end.
test('commands are stopped at random moments of every phase: each says what state live is in, and that is so', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-stops-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const result = await stops({
    victim: sharedVictim(await serverUrl()),
    stops: 15,
    seed: 3,
    rows: 12_000,
    folder,
  });
  assert.deepEqual(result.wrong, []);
  assert.equal(result.stops.length, 15);
  t.diagnostic(stopTable(result.stops).join('\n'));
});
