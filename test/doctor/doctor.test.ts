import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBatch } from '../../src/db/ledger/batches.js';
import { openLedger } from '../../src/db/ledger/open.js';
import type { Examined } from '../../src/doctor/examined.js';
import { sluice } from '../support/cli.js';
import { testDatabase } from '../support/database.js';
import { tempFolder } from '../support/files.js';
import { openDatabase } from '../support/lots.js';
import { testRole } from '../support/role.js';

interface Answer {
  readonly ok: boolean;
  readonly examined: readonly Examined[];
}

/** What `sluice doctor --json` says of a database, by question; and how it ends. */
async function doctor(cwd: string, url: string) {
  const { code, stdout } = await sluice(['doctor', '--json', '--database-url', url], { cwd });
  const { ok, examined } = JSON.parse(stdout) as Answer;
  return { code, ok, of: (name: string) => examined.find((each) => each.name === name) as Examined };
}

test('a database in order lets a run begin', async (t) => {
  const database = await testDatabase(t);
  const { code, ok, of } = await doctor(tempFolder(t), database.url);
  assert.deepEqual([code, ok], [0, true]);
  assert.match(of('server').is, /^PostgreSQL \d+.*127\.0\.0\.1.* ms away, not encrypted$/);
  assert.match(of('ledger').is, /^version \d+$/);
  assert.deepEqual(of('broken runs'), { name: 'broken runs', is: 'nothing is left of any', findings: [] });
  assert.deepEqual(of('time').findings, []);
});

test('a role that may not make schemas is refused, with the grant', async (t) => {
  const database = await testDatabase(t);
  const role = await testRole(t);
  await database.query(`ALTER ROLE ${role} LOGIN PASSWORD 'secret'`);
  const url = new URL(database.url);
  url.username = role;
  url.password = 'secret';
  const { code, ok, of } = await doctor(tempFolder(t), url.href);
  assert.deepEqual([code, ok], [3, false]);
  const said = of('rights').findings.map(({ severity, message }) => `${severity}: ${message}`);
  assert.match(said[0] ?? '', /^error: the role \w+ may not create schemas/);
  assert.match(said[1] ?? '', /^error: the role \w+ may not use the ledger/);
  assert.match(
    JSON.stringify(of('rights').findings).replaceAll('\\"', ''),
    new RegExp(`GRANT CREATE ON DATABASE \\w+ TO ${role}`),
  );
  assert.ok(!of('server').findings.some(({ message }) => /superuser/.test(message)));
});

test('a batch whose process is gone is named, with the command that says more', async (t) => {
  const database = await testDatabase(t);
  const dead = openDatabase(t, database);
  await openLedger(dead);
  await startBatch(dead, {
    ...{ pipeline: 'things', from: 'things', source: 'postgres', sourceFile: undefined },
    ...{ settings: {}, stopOnError: false, options: {} },
  });
  await dead.close();
  const cwd = tempFolder(t);
  const { code, stderr } = await sluice(['doctor', '--database-url', database.url], { cwd });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /broken runs: something is left of 1 batch: 1\n/);
  assert.match(stderr, /next: sluice status 1/);
  assert.match(stderr, /next: sluice cleanup/);
});

test('what is here is said before a server that does not answer', async (t) => {
  const { code, stdout, stderr } = await sluice(
    ['doctor', '--database-url', 'postgres://me@127.0.0.1:1/db'],
    { cwd: tempFolder(t) },
  );
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /^machine: Sluice .*\n[\s\S]*packages: [\s\S]*127\.0\.0\.1:1/);
});
