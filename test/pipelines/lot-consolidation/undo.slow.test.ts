import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { restoreLots } from '../../../pipelines/lot-consolidation/restore.js';
import { interrupted } from '../../../src/core/errors/author.js';
import { dropLeftover, findLeftovers } from '../../../src/run/maintain/cleanup.js';
import { rollbackBatch } from '../../../src/run/rollback.js';
import { csv } from '../../../src/sources/csv/index.js';
import { type TestDatabase, WITHOUT_LEDGER } from '../../support/database.js';
import { tempFile, tempFolder } from '../../support/files.js';
import { long } from '../../support/long.js';
import {
  catalog,
  contents,
  exported,
  leftGuards,
  leftSchemas,
  lotSystem,
  openDatabase,
  runLots,
  runOn,
} from '../../support/lots.js';
import { thrown } from '../../support/thrown.js';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** Rolls back in a session of its own, as a command does. */
async function rollback(t: TestContext, database: TestDatabase, batch: string, discardWrites = false) {
  const opened = openDatabase(t, database);
  try {
    return await rollbackBatch(batch, { database: opened, log: quiet, discardWrites });
  } finally {
    await opened.close();
  }
}

/** A migrated system; its backup file is in a folder of the test's own. */
async function migrated(t: TestContext) {
  const database = await lotSystem(t);
  const old = { contents: await contents(database), catalog: await catalog(database, false) };
  const folder = tempFolder(t);
  // The pipeline writes its backup where the command is run.
  const home = process.cwd();
  process.chdir(folder);
  try {
    const { summary } = await runLots(t, database, { settings: { backup: 'on' } });
    const [name, ...others] = readdirSync(folder);
    assert.deepEqual(others, []);
    return { database, old, summary, batch: summary.batch as string, backup: join(folder, name as string) };
  } finally {
    process.chdir(home);
  }
}

/** Drops what is kept for rollbacks, as `cleanup --execute --older-than 0` does. */
async function forget(t: TestContext, database: TestDatabase): Promise<void> {
  const opened = openDatabase(t, database);
  for (const leftover of await findLeftovers(opened, 0)) await dropLeftover(opened, leftover);
  assert.deepEqual(await leftSchemas(database), []);
}

long(
  'a rollback after writes is refused and lists the keys; told to discard them, it goes through',
  async (t) => {
    const { database, old, batch } = await migrated(t);
    await database.query(`
    UPDATE serials SET status = 'failed' WHERE id = 6301;
    DELETE FROM serials WHERE id = 6302;
    INSERT INTO lots (id, lot_number, production_month) VALUES (777, 'WF-KR-251201D-001', '2512')`);
    const changed = await contents(database);
    const error = await thrown(rollback(t, database, batch));
    assert.equal(error.kind, 'refused');
    assert.deepEqual(error.facts.details, [
      'public.lots: 1 row written since',
      '  inserted or updated: id = 777',
      'public.serials: 2 rows written since',
      '  2 of the published rows are deleted or updated',
      '  inserted or updated: id = 6301',
    ]);
    assert.match(String(error.facts.next), /--discard-writes/);
    assert.deepEqual(await contents(database), changed);
    assert.deepEqual(await leftGuards(database), []);
    await rollback(t, database, batch, true);
    assert.deepEqual(await contents(database), old.contents);
    assert.deepEqual(await catalog(database, false), old.catalog);
  },
);

test('a rollback gives back exactly the old contents, with views and grants, and what came since', async (t) => {
  const { database, old, batch } = await migrated(t);
  await database.query(
    'GRANT UPDATE ON lots TO mes_reader; CREATE INDEX serials_status_idx ON serials (status)',
  );
  const since = await catalog(database, false);
  const rolled = await rollback(t, database, batch);
  assert.deepEqual(
    rolled.tables.map((each) => [each.table, each.rows]),
    [
      ['public.lots', 6],
      ['public.serials', 370],
    ],
  );
  assert.deepEqual(await contents(database), old.contents);
  assert.deepEqual(await catalog(database, false), since);
  const [view] = await database.query(
    "SELECT serials::int FROM lot_summary WHERE lot_number = 'WF-KR-251120N-005'",
  );
  assert.deepEqual(view, { serials: 50 });
  assert.deepEqual(await leftGuards(database), []);
  // A second time there is nothing to take back.
  const again = await thrown(rollback(t, database, batch));
  assert.equal(again.kind, 'usage');
  assert.match(again.message, /is rolled back already/);
});

long(
  'a rollback that is stopped before its swap leaves live as it is, writable, and can be done again',
  async (t) => {
    const { database, old, batch } = await migrated(t);
    const facts = await catalog(database);
    const now = await contents(database);
    const controller = new AbortController();
    const opened = openDatabase(t, database);
    const events = {
      phase: (name: string) => (name === 'rollback' ? controller.abort(interrupted()) : undefined),
    };
    const error = await thrown(
      rollbackBatch(batch, { database: opened, log: quiet, events, signal: controller.signal }),
    );
    await opened.close();
    assert.equal(error.kind, 'interrupted');
    assert.deepEqual(await contents(database), now);
    assert.deepEqual(await catalog(database), facts);
    await rollback(t, database, batch);
    assert.deepEqual(await contents(database), old.contents);
  },
);

long('after a rollback the same pipeline runs again', async (t) => {
  const { database, batch } = await migrated(t);
  const after = await contents(database);
  await rollback(t, database, batch);
  const { summary } = await runLots(t, database);
  assert.equal(summary.status, 'completed');
  assert.deepEqual(await contents(database), after);
});

test('a batch that published nothing, and one that is not there, cannot be rolled back', async (t) => {
  const database = await lotSystem(t);
  await database.query(WITHOUT_LEDGER);
  assert.match(
    (await thrown(rollback(t, database, '1'))).message,
    /no pipeline was ever run in this database/,
  );
  await runLots(t, database, { publish: false });
  assert.match((await thrown(rollback(t, database, '1'))).message, /batch 1 is staged: it published nothing/);
  assert.match((await thrown(rollback(t, database, '99'))).message, /there is no batch 99/);
  assert.match((await thrown(rollback(t, database, "1'; --"))).message, /is not a batch id/);
});

long('where the old tables are dropped, a rollback points to the backup file', async (t) => {
  const { database, batch } = await migrated(t);
  await forget(t, database);
  const error = await thrown(rollback(t, database, batch));
  assert.equal(error.code, 'not_kept');
  assert.deepEqual(error.facts.details, ['public.lots', 'public.serials']);
  assert.match(String(error.facts.next), /rollback --backup-file/);
});

test('the backup file holds old and new LOT numbers, consolidated LOTs, and every serial with its old LOT', async (t) => {
  const { database, backup, summary, batch } = await migrated(t);
  assert.match(backup, /migration_backup_\d{8}_\d{6}\.json$/);
  assert.equal(statSync(backup).mode & 0o777, 0o600);
  assert.deepEqual(summary.files, [
    { path: backup.slice(backup.lastIndexOf('/') + 1), what: 'backup of the old numbers and contents' },
  ]);
  type Kept = Record<string, unknown>;
  const file = JSON.parse(readFileSync(backup, 'utf8')) as {
    pipeline: string;
    batch: string;
    created_at: string;
    lots: Kept[];
    serials: Kept[];
  };
  assert.equal(file.pipeline, 'lot-consolidation');
  assert.equal(file.batch, batch);
  assert.ok(!Number.isNaN(Date.parse(file.created_at)));
  const lot = (id: number) => file.lots.find((each) => each.id === id) ?? {};
  const of = (id: number) => [lot(id).old_lot_number, lot(id).new_lot_number, lot(id).consolidated_into];
  assert.deepEqual(of(63), ['WF-KR-251120N-003', 'LI14PSA2511', 63]);
  assert.deepEqual(of(64), ['WF-KR-251120N-004', 'LI14PSA2511', 63]);
  assert.deepEqual(of(65), ['WF-KR-251120N-005', 'LI14PSA2511', 63]);
  assert.deepEqual(of(24), ['WF-KR-251009D-001', 'KR02PSB2510', 22], 'an empty LOT that went');
  assert.deepEqual(of(51), ['KR01PSB2509', 'KR01PSB2509', 51], 'one that stayed');
  assert.equal(file.lots.length, 13);
  assert.equal(file.serials.length, 370);
  const serial = file.serials.find((each) => each.id === 6550);
  assert.deepEqual(
    [serial?.old_serial_number, serial?.new_serial_number, serial?.old_lot_id, serial?.new_lot_id],
    ['WF-KR-251120N-005-050', 'LI14PSA2511250', 65, 63],
  );
  const live = await database.query<{ id: string; serial_number: string; lot_id: number }>(
    'SELECT id::text, serial_number, lot_id FROM serials',
  );
  const kept = new Map(file.serials.map((each) => [String(each.id), each]));
  for (const row of live) {
    assert.equal(kept.get(row.id)?.new_serial_number, row.serial_number);
    assert.equal(kept.get(row.id)?.new_lot_id, row.lot_id);
  }
});

test('a run that is refused leaves no backup file behind', async (t) => {
  const database = await lotSystem(t, {
    sql: "INSERT INTO serials (id, lot_id, serial_number) VALUES (94101, 51, 'LI14PSA2511007')",
  });
  const folder = tempFolder(t);
  const home = process.cwd();
  process.chdir(folder);
  t.after(() => process.chdir(home));
  // Of a file it is found when all is loaded, and the backup written.
  const inputs = { serials: csv(tempFile(t, 'old.csv', (await exported(database)).join('\n'))) };
  const error = await thrown(runLots(t, database, { inputs, settings: { backup: 'on' } }));
  assert.equal(error.code, 'validation_refused');
  assert.deepEqual(readdirSync(folder), []);
});

long(
  'the backup file alone gives back exactly the old contents, where the old tables are gone',
  async (t) => {
    const { database, old, backup } = await migrated(t);
    await forget(t, database);
    const { summary } = await runOn(t, database, restoreLots(backup, { discardWrites: false }));
    assert.equal(summary.status, 'completed');
    assert.deepEqual(await contents(database), old.contents);
    assert.deepEqual(await catalog(database, false), old.catalog);
  },
);

test('restoring from the file takes back numbers and LOTs, and keeps what was done since', async (t) => {
  const { database, old, backup } = await migrated(t);
  await forget(t, database);
  await database.query(`
    CREATE TABLE was AS SELECT l.status, l.closed_at, s.status AS serial FROM lots l JOIN serials s ON s.lot_id = l.id WHERE s.id = 6301;
    UPDATE serials SET status = 'shipped' WHERE id = 6301;
    UPDATE lots SET status = 'closed', closed_at = '2026-01-02 03:04:05+00' WHERE id = 63;
    INSERT INTO serials (id, lot_id, serial_number) VALUES (99901, 63, 'LI14PSA2511251');
    INSERT INTO lots (id, lot_number, production_month) VALUES (777, 'WF-KR-251201D-001', '2512')`);
  const { summary } = await runOn(t, database, restoreLots(backup, { discardWrites: false }));
  assert.equal(summary.status, 'completed');
  assert.deepEqual(await database.query('SELECT lot_id, serial_number FROM serials WHERE id = 99901'), [
    { lot_id: 63, serial_number: 'LI14PSA2511251' },
  ]);
  assert.deepEqual(
    await database.query(
      "SELECT l.status, s.status AS serial, s.serial_number FROM lots l JOIN serials s ON s.lot_id = l.id WHERE s.id = 6301 AND l.lot_number = 'WF-KR-251120N-003'",
    ),
    [{ status: 'closed', serial: 'shipped', serial_number: 'WF-KR-251120N-003-001' }],
  );
  await database.query(`
    DELETE FROM serials WHERE id = 99901; DELETE FROM lots WHERE id = 777;
    UPDATE serials SET status = (SELECT serial FROM was) WHERE id = 6301;
    UPDATE lots SET (status, closed_at) = (SELECT status, closed_at FROM was) WHERE id = 63`);
  assert.deepEqual(await contents(database), old.contents, 'nothing else differs');
});

long(
  'numbers that were changed since the migration, and rows deleted since, refuse the restore, by name',
  async (t) => {
    const { database, old, backup } = await migrated(t);
    await forget(t, database);
    await database.query(`
    UPDATE serials SET serial_number = 'BY-HAND-1' WHERE id = 6302;
    DELETE FROM inspections WHERE serial_id = 6303; DELETE FROM serials WHERE id = 6303`);
    const changed = await contents(database);
    const error = await thrown(runOn(t, database, restoreLots(backup, { discardWrites: false })));
    assert.equal(error.kind, 'refused');
    assert.equal(error.message, '2 serials were changed since the migration');
    assert.deepEqual(error.facts.details, [
      'serial 6302: its serial_number is BY-HAND-1 now, and was LI14PSA2511002 after the migration',
      'serial 6303: deleted since; it would come back',
    ]);
    assert.match(String(error.facts.next), /--discard-writes/);
    assert.deepEqual(await contents(database), changed);
    await runOn(t, database, restoreLots(backup, { discardWrites: true }));
    const { lots, serials } = await contents(database);
    assert.deepEqual({ lots, serials }, { lots: old.contents.lots, serials: old.contents.serials });
  },
);

long('ids beyond what a JavaScript number holds come back from the backup file', async (t) => {
  const database = await lotSystem(t, {
    sql: "INSERT INTO serials (id, lot_id, serial_number) VALUES (9007199254740993, 12, 'WIDE-1')",
  });
  const old = await contents(database);
  const folder = tempFolder(t);
  const home = process.cwd();
  process.chdir(folder);
  await runLots(t, database, { settings: { backup: 'on' } }).finally(() => process.chdir(home));
  await forget(t, database);
  const [name] = readdirSync(folder);
  await runOn(t, database, restoreLots(join(folder, name as string), { discardWrites: false }));
  assert.deepEqual(await contents(database), old);
});
