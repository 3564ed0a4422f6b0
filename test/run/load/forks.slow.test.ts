import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { backupFile } from '../../../sinks/backup-file.js';
import { report } from '../../../sinks/index.js';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { flow } from '../../../src/core/flow.js';
import { type Pipeline, pipeline } from '../../../src/core/pipeline.js';
import { append, replace } from '../../../src/core/target.js';
import { named, type Source, type Stage, stateless } from '../../../src/core/types.js';
import { csv } from '../../../src/sources/csv/index.js';
import { filter } from '../../../transforms/filter.js';
import { map } from '../../../transforms/map.js';
import { validate } from '../../../transforms/validate.js';
import { type TestDatabase, testDatabase } from '../../support/database.js';
import { checksum, type Options, runOn } from '../../support/lots.js';
import { thrown } from '../../support/thrown.js';
import { until } from '../../support/until.js';

const COUNT = 12_000;
/** Parts are the smallest that there are, 64 KiB of the file. */
const OPTIONS: Options = { segmentBytes: 1, maxRejects: { rows: 10_000 } };

/** Hosts and their addresses, with something wrong of every kind: what a stage, a guard and the server refuse. */
const lines = () => [
  'id,name,address',
  ...Array.from({ length: COUNT }, (_, at) => {
    const id = at + 1;
    const name = id % 70 === 0 ? '' : `"host ${id}, ${'x'.repeat(id % 40)}"`;
    return `${id % 1300 === 0 ? 'no id' : id},${name},${id % 500 === 0 ? 'nowhere' : '10.0.0.1'}`;
  }),
];

type Host = { readonly id: string | null; readonly name: string | null; readonly address: string | null };

/** Passes rows on; does `work` first when row `at` comes. */
function passing(at: number, work: () => Promise<void>): Stage<Host> {
  let seen = 0;
  return named('passing', async function* (rows) {
    for await (const chunk of rows) {
      seen += chunk.length;
      if (seen >= at && seen - chunk.length < at) await work();
      yield chunk;
    }
  });
}

const renamed = map(({ id, name }: Host) => ({ id, host: name }), 'renamed');

const onlyIds = filter<Host>(({ id }) => Number(id) % 100 === 1, 'others');

interface Built {
  readonly path: string;
  /** Around each stage: `stateless`, or nothing, and the flow is in one piece. */
  readonly wrap?: <A extends object, B extends object>(stage: Stage<A, B>) => Stage<A, B>;
  readonly mode?: 'append' | 'replace';
  /** Ends that are no tables. */
  readonly others?: string;
  readonly at?: number;
  readonly work?: () => Promise<void>;
}

function hosts({
  path,
  wrap = stateless,
  mode = 'replace',
  others,
  at = -1,
  work = async () => {},
}: Built): Pipeline {
  const target = mode === 'append' ? append : replace;
  return pipeline({
    name: 'hosts',
    summary: 'Hosts.',
    inputs: { hosts: csv(path) as Source },
    tables: {
      hosts: target('hosts', { columns: ['id', 'name', 'address'] }),
      names: target('names', { columns: ['id', 'host'] }),
    },
    flows: ({ inputs, tables }) => {
      const backup = backupFile('hosts', { pipeline: 'hosts', directory: others ?? '.' });
      return [
        flow(inputs.hosts as unknown as Source<Host>)
          .through(wrap(validate<Host>({ type: 'object', required: ['name'] })), wrap(passing(at, work)))
          .fork(
            (rows) => rows.into(tables.hosts),
            (rows) =>
              rows.fork(
                (inner) => inner.through(wrap(renamed)).into(tables.names),
                ...(others === undefined
                  ? []
                  : [
                      (inner: typeof rows) =>
                        inner
                          .through(wrap(onlyIds))
                          .into(report('some', () => ({ columns: ['id'], keep: 1000 }))),
                      (inner: typeof rows) => inner.into(backup.section('hosts')),
                    ]),
              ),
          ),
      ];
    },
  });
}

async function database(t: TestContext): Promise<TestDatabase> {
  const made = await testDatabase(t);
  await made.query(`CREATE TABLE hosts (id integer PRIMARY KEY, name text NOT NULL, address inet);
    CREATE TABLE names (id integer, host varchar(49), CHECK (host !~ '1999'))`);
  return made;
}

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'sluice-forks-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** Everything that a load leaves: rows, rejects, counts, accounts, the report and the backup file. */
async function left(made: TestDatabase, backups?: string) {
  const [batch] = await made.query(
    `SELECT total_records, processed_records, success_count, error_count, skip_count, accounting, input_columns, reports
     FROM sluice.migration_batch WHERE id = 1`,
  );
  // In one piece they stand in the order in which they were opened.
  const accounting = (batch as { accounting: { sinks: { sink: string }[] }[] }).accounting;
  for (const { sinks } of accounting) sinks.sort((a, b) => a.sink.localeCompare(b.sink));
  const [file] = backups === undefined ? [] : readdirSync(backups).filter((name) => name.endsWith('.json'));
  return {
    hosts: await checksum(made, 'SELECT * FROM hosts'),
    names: await checksum(made, 'SELECT * FROM names'),
    rejects: await made.query(
      `SELECT line::int, stage, reason, column_name, value, sqlstate FROM sluice.migration_reject ORDER BY line, stage`,
    ),
    batch,
    backup:
      file === undefined ? undefined : JSON.parse(readFileSync(join(backups as string, file), 'utf8')).hosts,
  };
}

const parts = (made: TestDatabase) =>
  made.query<{ branch: string; parts: number; rows: number }>(
    `SELECT branch, count(*)::int AS parts, sum(rows)::int AS rows FROM sluice.migration_part GROUP BY 1 ORDER BY 1`,
  );

/** Ends the sessions that load, once some parts are committed. */
async function kill(made: TestDatabase): Promise<void> {
  await until('committed parts', async () => {
    const [found] = await made.query<{ parts: number }>(
      `SELECT count(*)::int AS parts FROM sluice.migration_part WHERE branch = '1'`,
    );
    return (found?.parts ?? 0) > 3;
  });
  await made.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name ~ 'batch [0-9]+ load'`,
  );
}

const same = <S>(stage: S): S => stage;

for (const mode of ['replace', 'append'] as const)
  test(`a flow into two tables, a report and a file leaves in parts what it leaves in one piece (${mode})`, async (t) => {
    const path = join(folder(t), 'hosts.csv');
    writeFileSync(path, `${lines().join('\n')}\n`);
    const [one, several] = [folder(t), folder(t)];
    const [whole, cut] = [await database(t), await database(t)];
    await runOn(t, whole, hosts({ path, mode, wrap: same, others: one }), OPTIONS);
    assert.deepEqual(await parts(whole), []);
    const { summary } = await runOn(t, cut, hosts({ path, mode, others: several }), { ...OPTIONS, jobs: 3 });
    assert.equal(summary.status, 'completed');
    assert.deepEqual(await left(cut, several), await left(whole, one));
    const [first] = (await left(cut, several)).backup;
    assert.equal(first.id, '1');
  });

test('each part is in all tables with its rows in the ledger, or in none, whoever is killed when; a load that goes on reads what is missing', async (t) => {
  const path = join(folder(t), 'hosts.csv');
  writeFileSync(path, `${lines().join('\n')}\n`);
  const whole = await database(t);
  await runOn(t, whole, hosts({ path, wrap: same }), OPTIONS);
  const made = await database(t);
  let broke = false;
  const error = await thrown(
    runOn(
      t,
      made,
      hosts({
        path,
        at: 7_000,
        work: async () => {
          broke = true;
          await kill(made);
        },
      }),
      { ...OPTIONS, jobs: 2 },
    ),
  );
  assert.ok(broke && error instanceof SluiceError && error.code === 'connection_lost', String(error));
  const there = await parts(made);
  assert.deepEqual(
    there.map(({ branch }) => branch),
    ['1', '2.1'],
  );
  assert.equal(there[0]?.parts, there[1]?.parts);
  const [staged] = await made.query(
    `SELECT (SELECT count(*)::int FROM sluice_staging_1.hosts) AS hosts, (SELECT count(*)::int FROM sluice_staging_1.names) AS names`,
  );
  assert.deepEqual(staged, { hosts: there[0]?.rows, names: there[1]?.rows });
  let read = 0;
  const counting = stateless(
    named<Host, Host>('passing', async function* (rows) {
      for await (const chunk of rows) {
        read += chunk.length;
        yield chunk;
      }
    }),
  );
  const again = hosts({ path });
  const [plan] = again.flows({
    inputs: again.inputs,
    tables: again.tables,
    settings: {},
    mappings: [],
    from: '',
    live: same,
  });
  assert.ok(plan !== undefined);
  const { summary } = await runOn(
    t,
    made,
    {
      ...again,
      flows: (given) =>
        again.flows(given).map((each) => ({
          ...each,
          root: { ...each.root, stages: [each.root.stages[0] as Stage, counting as unknown as Stage] },
        })),
    },
    { ...OPTIONS, resume: '1' },
  );
  assert.equal(summary.status, 'completed');
  assert.ok(read < COUNT - 3_000, `it read ${read} rows again`);
  assert.deepEqual(await left(made), await left(whole));
});

test('where a report or a file wants all rows, a load that goes on reads all and loads what is missing', async (t) => {
  const path = join(folder(t), 'hosts.csv');
  writeFileSync(path, `${lines().join('\n')}\n`);
  const [one, several] = [folder(t), folder(t)];
  const whole = await database(t);
  await runOn(t, whole, hosts({ path, wrap: same, others: one }), OPTIONS);
  const made = await database(t);
  const error = await thrown(
    runOn(t, made, hosts({ path, others: several, at: 7_000, work: () => kill(made) }), OPTIONS),
  );
  assert.ok(error instanceof SluiceError && error.code === 'connection_lost', String(error));
  assert.deepEqual(readdirSync(several), [], 'no file is left behind');
  const { summary } = await runOn(t, made, hosts({ path, others: several }), { ...OPTIONS, resume: '1' });
  assert.equal(summary.status, 'completed');
  assert.deepEqual(await left(made, several), await left(whole, one));
});

test('an exception in one branch ends the load, and no file is left', async (t) => {
  const path = join(folder(t), 'hosts.csv');
  writeFileSync(path, `${lines().join('\n')}\n`);
  const others = folder(t);
  const made = await database(t);
  const error = await thrown(
    runOn(
      t,
      made,
      hosts({
        path,
        others,
        at: 9_000,
        work: () => Promise.reject(new Error('no more')),
      }),
      { ...OPTIONS, jobs: 3 },
    ),
  );
  assert.ok(error instanceof SluiceError && /no more/.test(error.message), String(error));
  assert.deepEqual(readdirSync(others), []);
});

test('an input without rows is loaded, too', async (t) => {
  const path = join(folder(t), 'hosts.csv');
  writeFileSync(path, 'id,name,address\n');
  const made = await database(t);
  const { summary } = await runOn(t, made, hosts({ path, others: folder(t) }), {
    ...OPTIONS,
    allowEmpty: true,
  });
  assert.equal(summary.status, 'completed');
  assert.equal(summary.read, 0);
});
