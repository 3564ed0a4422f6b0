import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import pg from 'pg';
import milestonesToSections from '../../../pipelines/milestones-to-sections/index.js';
import { OLD } from '../../../pipelines/milestones-to-sections/source.js';
import { dropLeftover, findLeftovers } from '../../../src/run/maintain/cleanup.js';
import { versionsInUse } from '../../../src/run/maintain/versions.js';
import { rollbackViews } from '../../../src/run/rollback/old-names.js';
import type { RollbackOptions } from '../../../src/run/rollback/session.js';
import { rollbackBatch } from '../../../src/run/rollback.js';
import { findStaged, swapBatch } from '../../../src/run/swap.js';
import type { TestDatabase } from '../../support/database.js';
import { catalog, checksum, leftSchemas, openDatabase, runOn } from '../../support/lots.js';
import { fromFile, milestoneFile, milestoneSystem, runMilestones } from '../../support/milestones.js';
import { testRole } from '../../support/role.js';

/** From which status the application moves a task to which. */
const TRANSITIONS: Readonly<Record<string, readonly string[]>> = {
  not_started: ['in_progress', 'not_applicable'],
  in_progress: ['submitted', 'completed', 'not_started', 'not_applicable'],
  submitted: ['approved', 'rejected'],
  approved: ['completed', 'in_progress'],
  rejected: ['in_progress'],
  completed: ['in_progress'],
  not_applicable: ['not_started'],
};

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** The commands on batch 1, in one session, as one process has it. */
function undoing(t: TestContext, database: TestDatabase) {
  const opened = openDatabase(t, database);
  return {
    opened,
    rollback: (more: Partial<RollbackOptions> = {}) =>
      rollbackBatch('1', { database: opened, log: quiet, ...more }),
    views: () => rollbackViews('1', { database: opened, log: quiet }),
  };
}

/** What every old name gives, by name. */
async function oldNames(database: TestDatabase): Promise<Record<string, string>> {
  const sums: Record<string, string> = {};
  for (const [table, columns] of Object.entries(OLD))
    sums[table] = await checksum(
      database,
      `SELECT ${columns.map((column) => `"${column}"`).join(', ')} FROM public.${table}`,
    );
  return sums;
}

test('both versions side by side: the old names read and write the new tables, and go with a rollback', async (t) => {
  const database = await milestoneSystem(t);
  const role = await testRole(t);
  await database.query(`ALTER ROLE ${role} LOGIN PASSWORD 'let in';
    GRANT SELECT, UPDATE ON public.supplier_task_instances, public.project_milestone_tasks TO ${role};
    GRANT SELECT (id, name) ON public.suppliers TO ${role}`);
  const before = await oldNames(database);
  const schema = await catalog(database, false);
  await runMilestones(t, database);
  const { opened, ...undo } = undoing(t, database);

  await t.test('every old name gives the same rows as before', async () => {
    assert.deepEqual(await oldNames(database), before);
  });

  await t.test('due dates, notes and status written through the views reach the new tables', async () => {
    const url = new URL(database.url);
    url.username = role;
    url.password = 'let in';
    const session = new pg.Client({ connectionString: url.href, application_name: 'old-application' });
    session.on('error', () => {});
    await session.connect();
    t.after(() => session.end());
    await session.query('BEGIN');
    await session.query(
      `UPDATE project_milestone_tasks SET "dueDate" = '2026-03-01', notes = 'moved' WHERE id = 'pmt_p_fai'`,
    );
    const { rows } = await session.query(
      `UPDATE supplier_task_instances SET status = 'approved', notes = NULL, "actualDueDate" = '2026-03-02' WHERE id = 'sti_07' RETURNING id, status`,
    );
    await session.query('COMMIT');
    assert.deepEqual(rows, [{ id: 'sti_07', status: 'approved' }]);
    assert.deepEqual(
      await database.query(
        `SELECT t.due_date::text, t.notes, t.responsible_parties, i.status, i.notes AS note, i.actual_due_date::text, i.attachments
         FROM v2.project_task_templates t JOIN v2.supplier_task_instances i ON i.project_task_template_id = t.id WHERE i.id = 'sti_07'`,
      ),
      [
        {
          due_date: '2026-03-01 00:00:00',
          notes: 'moved',
          responsible_parties: '["Quality","Supplier"]',
          status: 'approved',
          note: null,
          actual_due_date: '2026-03-02 00:00:00',
          attachments: '[{"name":"a \\"b\\".pdf"}]',
        },
      ],
    );
    await assert.rejects(session.query('SELECT "contactInfo" FROM suppliers'), /permission denied/);
    assert.equal((await session.query('SELECT name FROM suppliers')).rowCount, 4);
    await session.query('SELECT count(*) FROM project_milestone_tasks');
  });

  await t.test('the old application’s other writes go on: rows added and taken away', async () => {
    await database.query(`
      INSERT INTO milestones (id, "taskTypeId", code, name, sequence, "updatedAt") VALUES ('mil_new', 'typ_nmr', 'PA2', 'One more', 30, now());
      INSERT INTO tasks (id, "milestoneId", name, "updatedAt") VALUES ('tsk_new', 'mil_new', 'New task', now());
      INSERT INTO project_milestone_tasks (id, "projectId", "milestoneId", "taskId", "updatedAt") VALUES ('pmt_new', 'prj_empty', 'mil_new', 'tsk_new', now());
      INSERT INTO supplier_task_instances (id, "supplierId", "projectMilestoneTaskId", "updatedAt") VALUES ('sti_new', 'sup_none', 'pmt_new', now());
      UPDATE milestones SET name = 'Renamed' WHERE id = 'mil_pa9'`);
    assert.deepEqual(
      await database.query(
        `SELECT n.name, i.status, i.is_applied, (SELECT name FROM v2.task_type_sections WHERE id = 'mil_pa9') AS renamed,
                (SELECT count(*)::int FROM v2.project_task_types WHERE project_id = 'prj_empty' AND task_type_id = 'typ_nmr') AS types
         FROM v2.supplier_task_instances i JOIN v2.project_task_templates t ON t.id = i.project_task_template_id
         JOIN v2.tasks k ON k.id = t.task_id JOIN v2.task_type_sections n ON n.id = k.section_id WHERE i.id = 'sti_new'`,
      ),
      [{ name: 'First Article (2)', status: 'not_started', is_applied: true, renamed: 'Renamed', types: 1 }],
    );
    await database.query(`
      DELETE FROM supplier_task_instances WHERE id = 'sti_new'; DELETE FROM project_milestone_tasks WHERE id = 'pmt_new';
      DELETE FROM tasks WHERE id = 'tsk_new'; DELETE FROM milestones WHERE id = 'mil_new'`);
    assert.deepEqual(await database.query("SELECT id FROM v2.task_type_sections WHERE id = 'mil_new'"), []);
  });

  await t.test('every transition of the status goes through the old name and the new', async () => {
    for (const table of ['public.supplier_task_instances', 'v2.supplier_task_instances'])
      for (const [from, next] of Object.entries(TRANSITIONS))
        for (const to of next) {
          await database.query(
            `UPDATE v2.supplier_task_instances SET status = '${from}' WHERE id = 'sti_10'`,
          );
          await database.query(
            `UPDATE ${table} SET status = '${to}' WHERE id = 'sti_10' AND status = '${from}'`,
          );
          const [now] = await database.query(
            `SELECT status FROM supplier_task_instances WHERE id = 'sti_10'`,
          );
          assert.equal(now?.status, to, `${table}: ${from} → ${to}`);
        }
  });

  await t.test('a write through a view leaves alone what another session has changed meanwhile', async () => {
    const [first, second] = [await database.connect(), await database.connect()];
    await first.query(
      "BEGIN; UPDATE v2.supplier_task_instances SET notes = 'by the new version' WHERE id = 'sti_11'",
    );
    const waiting = second.query(
      "UPDATE supplier_task_instances SET status = 'in_progress' WHERE id = 'sti_11'",
    );
    await first.query('COMMIT');
    await waiting;
    assert.deepEqual(
      await database.query("SELECT status, notes FROM v2.supplier_task_instances WHERE id = 'sti_11'"),
      [{ status: 'in_progress', notes: 'by the new version' }],
    );
  });

  await t.test('status tells who uses which version', async () => {
    const fresh = await database.connect({ application_name: 'new-application' });
    await fresh.query('SELECT count(*) FROM v2.tasks');
    const versions = await versionsInUse(opened, '1');
    const uses = versions?.uses.map(({ version, application: name, role, sessions, last_write }) => [
      version,
      name,
      role,
      sessions,
      last_write !== null,
    ]);
    assert.deepEqual(
      uses?.filter(([, name]) => name !== ''),
      [
        ['old', 'old-application', role, 1, true],
        ['new', 'new-application', 'postgres', 1, false],
      ],
    );
    assert.equal(versions?.views.length, 9);
  });

  await t.test(
    'a rollback that would lose the writes is refused, of everything and of the views alone',
    async () => {
      await assert.rejects(undo.rollback(), /rolling back would lose them/);
      await assert.rejects(undo.views(), /the old tables lack them, and only the new ones would have them/);
    },
  );

  await t.test('what is built on a view is named, and nothing is changed', async () => {
    await database.query('CREATE VIEW public.built AS SELECT id FROM public.milestones');
    await assert.rejects(undo.rollback({ discardWrites: true }), /something was built on the views/);
    await database.query('DROP VIEW public.built');
  });

  await t.test(
    'the old tables come back as they were, under their names, with everything they had',
    async () => {
      const done = await undo.rollback({ discardWrites: true });
      assert.equal(done.whole, true);
      assert.equal(done.views.length, 9);
      assert.deepEqual(await oldNames(database), before);
      assert.deepEqual(await catalog(database, false), schema);
      assert.deepEqual(await leftSchemas(database), ['sluice_undone_1']);
    },
  );
});

test('views alone are taken back, then one table, then the rest; from a file no old table comes back', async (t) => {
  const [database, path] = await Promise.all([milestoneSystem(t, { old: false }), milestoneFile(t)]);
  await runMilestones(t, database, { inputs: fromFile(path), publish: false });
  const loader = openDatabase(t, database);
  const staged = await findStaged(loader, '1');
  // The command that publishes later knows only from the ledger that the old system was a file.
  await swapBatch(milestonesToSections, staged, { database: loader, log: quiet });
  await loader.close();
  const rows = async (name: string) =>
    (await database.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${name}`))[0]?.n;
  assert.equal(await rows('public.supplier_task_instances'), 16);
  const undo = undoing(t, database);
  const { views } = await undo.views();
  assert.equal(views.length, 9);
  assert.equal(await rows('v2.supplier_task_instances'), 16);
  await assert.rejects(rows('public.supplier_task_instances'), /does not exist/);
  await undo.rollback({ tables: ['v2.supplier_task_instances'] });
  assert.equal(await rows('v2.supplier_task_instances'), 0);
  assert.equal(await rows('v2.project_task_templates'), 11);
  assert.equal((await undo.rollback()).whole, true);
  assert.equal(await rows('v2.project_task_templates'), 0);
});

test('old tables are cleaned up when their time is over, unless something still reads them', async (t) => {
  const database = await milestoneSystem(t);
  await runMilestones(t, database);
  const opened = openDatabase(t, database);
  const old = async (days: number) =>
    (await findLeftovers(opened, days)).filter(({ kind }) => kind === 'old tables');
  assert.deepEqual(await old(30), [], 'not before 30 days are over');
  const standSince = (when: string) =>
    database.query(`UPDATE sluice.migration_view SET published_at = ${when}`);
  await standSince("now() - interval '31 days'");
  const [found] = await old(30);
  assert.match(found?.name ?? '', /^sluice_compat_1: milestones, project_milestone_tasks, /);
  // What the migration itself has read counts as read before.
  await standSince('clock_timestamp()');
  const drop = () => dropLeftover(opened, found as NonNullable<typeof found>);

  const reader = await database.connect({ application_name: 'a-report' });
  await reader.query('BEGIN; SELECT count(*) FROM sluice_compat_1.milestones');
  await assert.rejects(drop(), (error: { message: string; facts: { details: string[] } }) => {
    assert.match(error.message, /the old tables of batch 1 are still read/);
    return error.facts.details.some((line) =>
      /^pid \d+ \(postgres, a-report; .* on sluice_compat_1\.milestones: /.test(line),
    );
  });
  await reader.query('COMMIT');
  await database.query('CREATE VIEW public.late AS SELECT id FROM sluice_compat_1.tasks');
  await assert.rejects(drop(), /cannot be dropped: something depends on them/);
  await database.query('DROP VIEW public.late');
  if (Number((await database.query('SHOW server_version_num'))[0]?.server_version_num) >= 160000) {
    await database.query('SET enable_seqscan = off');
    await database.query("SELECT FROM sluice_compat_1.milestones WHERE id = 'mil_pa2'");
    await database.query('RESET enable_seqscan; SELECT pg_stat_force_next_flush()');
    await assert.rejects(drop(), (error: { facts: { details: string[] } }) =>
      /milestones was last read by key at /.test(error.facts.details.join('\n')),
    );
    await standSince('clock_timestamp()');
  }
  await drop();
  assert.deepEqual(
    await leftSchemas(database),
    ['sluice_compat_1', 'sluice_old_1'],
    'the functions behind the views stay',
  );
  assert.equal((await database.query('SELECT FROM public.milestones')).length, 13, 'the views stay');
  for (const undo of [rollbackViews, rollbackBatch])
    await assert.rejects(
      undo('1', { database: opened, log: quiet }),
      /the old tables behind the views were dropped/,
    );
});

const INSTANCES = 'public.supplier_task_instances';
const REFUSED: readonly (readonly [says: string, sql: string, message: RegExp])[] = [
  [
    'a view of another’s on an old table',
    `CREATE VIEW public.mine AS SELECT id FROM ${INSTANCES}`,
    /view .*mine.* holds on to .*would go on with the old rows/,
  ],
  [
    'row-level security',
    `ALTER TABLE ${INSTANCES} ENABLE ROW LEVEL SECURITY`,
    /supplier_task_instances has row-level security/,
  ],
  [
    'a key of another table',
    `CREATE TABLE public.files (id text REFERENCES ${INSTANCES})`,
    /files_id_fkey on table .*files holds on to/,
  ],
];

test('what views could not stand in for is refused before anything is loaded, and can be gone without', async (t) => {
  const database = await milestoneSystem(t);
  for (const [says, sql, message] of REFUSED)
    await t.test(says, async () => {
      await database.query('BEGIN; COMMIT');
      await database.query(sql);
      await assert.rejects(
        runMilestones(t, database, { dryRun: true }),
        (error: { message: string; facts: { details?: string[] } }) => {
          assert.match([error.message, ...(error.facts.details ?? [])].join('\n'), message);
          return true;
        },
      );
      await runMilestones(t, database, { dryRun: true, settings: { views: 'off' } });
      await database.query(
        `DROP VIEW IF EXISTS public.mine; DROP TABLE IF EXISTS public.files; ALTER TABLE ${INSTANCES} DISABLE ROW LEVEL SECURITY`,
      );
    });
  await t.test('a table of somebody else’s, where the old system is a file', async (t) => {
    const path = await milestoneFile(t);
    await assert.rejects(
      runMilestones(t, database, { inputs: fromFile(path), dryRun: true }),
      (error: { facts: { details?: string[] } }) =>
        /a table has that name, and the old system was read from elsewhere/.test(
          (error.facts.details ?? []).join('\n'),
        ),
    );
  });
});

test('a write to an old table while it is read stops the publish, and the old tables stay', async (t) => {
  const database = await milestoneSystem(t);
  const inputs = { ...milestonesToSections.inputs };
  const tasks = inputs.supplier_task_instances as NonNullable<typeof inputs.suppliers>;
  const late = {
    ...tasks,
    async *read(run: Parameters<typeof tasks.read>[0]) {
      yield* tasks.read(run);
      await database.query("UPDATE public.milestones SET name = 'late' WHERE id = 'mil_pa9'");
    },
  };
  const pipeline = { ...milestonesToSections, inputs: { ...inputs, supplier_task_instances: late } };
  await assert.rejects(runOn(t, database, pipeline), /public\.milestones/);
  const [kind] = await database.query(
    "SELECT relkind::text FROM pg_class WHERE oid = 'public.milestones'::regclass",
  );
  assert.deepEqual(kind, { relkind: 'r' });
});

test('the check names the columns that the views have with another type, and the way without them', async (t) => {
  const database = await milestoneSystem(t, {
    sql: `ALTER TABLE project_milestone_tasks ALTER "dueDate" TYPE timestamptz(3) USING "dueDate" AT TIME ZONE 'UTC', ALTER notes TYPE varchar(500);
      CREATE TYPE state AS ENUM ('not_started', 'in_progress', 'submitted', 'approved', 'rejected', 'completed', 'not_applicable');
      ALTER TABLE supplier_task_instances ALTER status DROP DEFAULT, ALTER status TYPE state USING status::state,
        ALTER attachments TYPE jsonb USING to_jsonb(attachments)`,
  });
  const { said } = await runMilestones(t, database, { dryRun: true });
  const warning = said.filter((each) => each.includes('views-like-the-old-tables')).join('\n');
  assert.match(warning, /3 columns have another type in the views under the old names/);
  for (const each of [
    'project_milestone_tasks.dueDate: timestamp with time zone → timestamp without time zone, in UTC',
    'supplier_task_instances.status: state → text',
    'supplier_task_instances.attachments: jsonb → text',
  ])
    assert.ok(warning.includes(each), `${each} in ${warning}`);
  const without = await runMilestones(t, database, { dryRun: true, settings: { views: 'off' } });
  assert.doesNotMatch(without.said.join('\n'), /views-like-the-old-tables/);
});
