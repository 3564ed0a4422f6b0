import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { flow } from '../../../src/core/flow.js';
import { type Pipeline, pipeline } from '../../../src/core/pipeline.js';
import { originOf, type Row } from '../../../src/core/row.js';
import { append, replace } from '../../../src/core/target.js';
import { named, type Source, type Stage, stateless } from '../../../src/core/types.js';
import type { Summary } from '../../../src/run/given/summary.js';
import { csv } from '../../../src/sources/csv/index.js';
import { jsonl } from '../../../src/sources/json/jsonl.js';
import { filter } from '../../../transforms/filter.js';
import { map } from '../../../transforms/map.js';
import { validate } from '../../../transforms/validate.js';
import { type TestDatabase, testDatabase } from '../../support/database.js';
import { long } from '../../support/long.js';
import { checksum, type Options, runOn } from '../../support/lots.js';
import { thrown } from '../../support/thrown.js';
import { until } from '../../support/until.js';

const COUNT = 20_000;
/** Parts are the smallest that there are, 64 KiB of the file. */
const OPTIONS: Options = { segmentBytes: 1, maxRejects: { rows: 10_000 } };

/** Hosts with something wrong of every kind: lines that are no record, what a stage, a guard and the server refuse. */
function lines(first = 1): string[] {
  const made = ['id,name,address'];
  for (let id = first; id < first + COUNT; id++) {
    if (id % 900 === 0) made.push('');
    if (id % 1100 === 0) made.push(`${id},ragged`);
    const name = id % 70 === 0 ? '' : `"host ${id}, with ""é"" and ${'x'.repeat(id % 30)}"`;
    made.push(`${id % 1300 === 0 ? 'no id' : id},${name},${id % 500 === 0 ? 'nowhere' : '10.0.0.1'}`);
  }
  return made;
}

const asCsv = () => `${lines().join('\n')}\n`;

const asJsonl = () =>
  Array.from({ length: COUNT }, (_, i) =>
    i % 800 === 7
      ? '{"broken'
      : JSON.stringify({
          id: i + 1,
          name: i % 70 === 0 ? null : `host ${i}`,
          address: i % 500 === 3 ? 'nowhere' : '10.0.0.1',
        }),
  ).join('\n');

/** What a reading of one attempt has shown to its stage. */
interface Seen {
  rows: number;
  firstLine: number | undefined;
}

/** Passes rows on, and watches; `at` the row of that number it does `work` first. */
function watching(
  seen: Seen,
  at = Number.POSITIVE_INFINITY,
  work: () => Promise<void> = async () => {},
): Stage {
  return named('watching', async function* (rows) {
    for await (const chunk of rows) {
      seen.firstLine ??= originOf(chunk[0] as never);
      seen.rows += chunk.length;
      if (seen.rows >= at && seen.rows - chunk.length < at) await work();
      yield chunk;
    }
  });
}

const mustHave = (name: string) => validate({ type: 'object', required: [name] });

function hosts(inputs: Readonly<Record<string, Source>>, stages: readonly Stage[]): Pipeline {
  return pipeline({
    name: 'hosts',
    summary: 'Hosts.',
    inputs,
    tables: { hosts: append('hosts', { columns: ['id', 'name', 'address'] }) },
    flows: ({ inputs, tables }) =>
      Object.values(inputs).map((input) => {
        let way = flow(input as Source) as never as {
          through(stage: Stage): typeof way;
          into(end: unknown): never;
        };
        for (const stage of stages) way = way.through(stage);
        return way.into(tables.hosts);
      }),
  });
}

async function database(t: TestContext): Promise<TestDatabase> {
  const made = await testDatabase(t);
  await made.query('CREATE TABLE hosts (id integer PRIMARY KEY, name text NOT NULL, address inet)');
  return made;
}

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'sluice-read-on-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** Ends the sessions that load, once each of `flows` flows has committed some of its rows. */
async function kill(made: TestDatabase, flows: number): Promise<void> {
  await until('committed parts or segments', async () => {
    // What stands last is read again.
    const found = await made.query(
      `SELECT flow FROM sluice.migration_part GROUP BY flow HAVING count(*) > 1 OR max(handed) < 1000
       UNION SELECT flow FROM sluice.migration_segment GROUP BY flow HAVING max(number) > 0`,
    );
    return found.length === flows;
  });
  await made.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name ~ 'batch [0-9]+ load'`,
  );
}

/** Runs it until the sessions that load are killed at row `at`. */
async function breakOff(
  t: TestContext,
  made: TestDatabase,
  build: (stage: Stage) => Pipeline,
  at: number,
  wrap: (stage: Stage) => Stage = stateless,
  options: Options = {},
): Promise<void> {
  const stage = wrap(
    watching({ rows: 0, firstLine: undefined }, at, () =>
      kill(made, Object.keys(build(mustHave('name')).inputs).length),
    ),
  );
  const error = await thrown(runOn(t, made, build(stage), { ...OPTIONS, ...options }));
  assert.ok(error instanceof SluiceError && error.code === 'connection_lost', String(error));
}

/** Resumes batch 1; what the stage saw of it, and the summary. */
async function goOn(
  t: TestContext,
  made: TestDatabase,
  build: (stage: Stage) => Pipeline,
  wrap: (stage: Stage) => Stage = stateless,
  options: Options = {},
): Promise<{ readonly seen: Seen; readonly summary: Summary }> {
  const seen: Seen = { rows: 0, firstLine: undefined };
  const { summary } = await runOn(t, made, build(wrap(watching(seen))), {
    ...OPTIONS,
    ...options,
    resume: '1',
  });
  assert.equal(summary.status, 'completed');
  return { seen, summary };
}

/** Everything that a load leaves: rows, rejects, counts and accounts. */
async function left(made: TestDatabase) {
  const [batch] = await made.query(
    `SELECT total_records, processed_records, success_count, error_count, skip_count, accounting, input_columns
     FROM sluice.migration_batch WHERE id = 1`,
  );
  return {
    hosts: await checksum(made, 'SELECT * FROM hosts'),
    rejects: await made.query(
      // The record of a row that the server refused is known only where it came by a moment ago.
      `SELECT line::int, byte_offset::int, regexp_replace(stage, '/.*', '') AS stage, reason, column_name, value, sqlstate, message,
              CASE WHEN sqlstate IS NULL THEN raw END AS raw
       FROM sluice.migration_reject ORDER BY input, line`,
    ),
    batch,
  };
}

/** What an undisturbed run leaves. */
async function undisturbed(t: TestContext, build: (stage: Stage) => Pipeline) {
  const made = await database(t);
  const { summary } = await runOn(
    t,
    made,
    build(stateless(watching({ rows: 0, firstLine: undefined }))),
    OPTIONS,
  );
  return { left: await left(made), summary };
}

const totals = ({ read, rejected, skipped, loaded }: Summary) => ({ read, rejected, skipped, loaded });

for (const [kind, file, content, source] of [
  ['CSV', 'hosts.csv', asCsv, (path: string): Source => csv(path)],
  ['packed CSV', 'hosts.csv.gz', () => gzipSync(asCsv()), (path: string): Source => csv(path)],
  ['JSON Lines', 'hosts.jsonl', asJsonl, (path: string): Source => jsonl(path)],
] as const)
  long(
    `a load from ${kind} goes on in the middle of its file, and leaves what an undisturbed one leaves`,
    async (t) => {
      const path = join(folder(t), file);
      writeFileSync(path, content());
      const build = (stage: Stage) => hosts({ hosts: source(path) }, [mustHave('name'), stage]);
      const whole = await undisturbed(t, build);
      for (const at of [6_000, 11_000, COUNT - 1_000]) {
        const made = await database(t);
        await breakOff(t, made, build, at);
        const { seen, summary } = await goOn(t, made, build);
        assert.ok((seen.firstLine ?? 0) > 500, `it began at line ${seen.firstLine}`);
        assert.ok(seen.rows > 0 && seen.rows < COUNT - 500, `it read ${seen.rows} rows again`);
        assert.deepEqual(await left(made), whole.left);
        assert.deepEqual(totals(summary), totals(whole.summary));
      }
    },
  );

long('a load that goes on in the middle may break off again there', async (t) => {
  const path = join(folder(t), 'hosts.csv');
  writeFileSync(path, asCsv());
  const build = (stage: Stage) => hosts({ hosts: csv(path) as Source }, [mustHave('name'), stage]);
  const made = await database(t);
  await breakOff(t, made, build, 8_000);
  await breakOff(t, made, build, 6_000, stateless, { resume: '1' });
  const { seen } = await goOn(t, made, build);
  assert.ok((seen.firstLine ?? 0) > 5_000, `it began at line ${seen.firstLine}`);
  assert.deepEqual(await left(made), (await undisturbed(t, build)).left);
});

test('of two files each goes on at its own place, and one that was done is compared and not loaded again', async (t) => {
  const here = folder(t);
  writeFileSync(
    join(here, 'small.csv'),
    `${lines(1_000_000).slice(0, 900).join('\n')}\n\n1000001,ragged\n\n`,
  );
  writeFileSync(join(here, 'hosts.csv'), asCsv());
  const build = (stage: Stage) =>
    hosts({ small: csv(join(here, 'small.csv')) as Source, hosts: csv(join(here, 'hosts.csv')) as Source }, [
      mustHave('name'),
      stage,
    ]);
  const whole = await undisturbed(t, build);
  const made = await database(t);
  await breakOff(t, made, build, 15_000);
  const { seen, summary } = await goOn(t, made, build);
  assert.ok(seen.rows < COUNT - 5_000, `it read ${seen.rows} rows again`);
  assert.deepEqual(await left(made), whole.left);
  assert.deepEqual(totals(summary), totals(whole.summary));
});

long('where stages or flows are others than then, what is loaded does not mix with what comes', async (t) => {
  const here = folder(t);
  const [a, b] = [join(here, 'a.csv'), join(here, 'b.csv')];
  writeFileSync(a, asCsv());
  writeFileSync(b, `${lines(1_000_000).join('\n')}\n`);
  const names = (name: string): Stage =>
    stateless(map((row: Row) => ({ ...row, name: row.name === null ? null : name }), 'names'));
  const inOrder = (stage: Stage) => hosts({ a: csv(a) as Source, b: csv(b) as Source }, [names('A'), stage]);
  const others: readonly ((stage: Stage) => Pipeline)[] = [
    (stage) => hosts({ a: csv(a) as Source, b: csv(b) as Source }, [names('B'), stage]),
    (stage) => hosts({ b: csv(b) as Source, a: csv(a) as Source }, [names('A'), stage]),
    (stage) => hosts({ a: csv(a) as Source, b: csv(b) as Source }, [stage, names('B')]),
  ];
  for (const other of others) {
    const made = await database(t);
    await breakOff(t, made, inOrder, 15_000);
    const error = await thrown(goOn(t, made, other));
    assert.equal(error.code, 'not_repeatable');
    assert.deepEqual(await made.query('SELECT FROM hosts'), []);
  }
});

long(
  'rows of which the first one says what columns they have are read again from the beginning',
  async (t) => {
    const path = join(folder(t), 'hosts.jsonl');
    const rows = Array.from({ length: COUNT }, (_, i) =>
      JSON.stringify({
        id: i,
        name: `host ${i} ${'x'.repeat(30)}`,
        ...(i < 3_000 ? { address: '10.0.0.1' } : {}),
      }),
    );
    writeFileSync(path, rows.join('\n'));
    const build = (stage: Stage): Pipeline =>
      pipeline({
        name: 'hosts',
        summary: 'Hosts.',
        inputs: { hosts: jsonl(path) as Source },
        tables: { hosts: replace('hosts') },
        flows: ({ inputs, tables }) => [flow(inputs.hosts).through(stage).into(tables.hosts)],
      });
    const made = await database(t);
    await breakOff(t, made, build, 12_000);
    const { seen } = await goOn(t, made, build);
    assert.equal(seen.firstLine, 1);
    assert.deepEqual(await left(made), (await undisturbed(t, build)).left);
  },
);

/** Why a load is read again from its beginning: what becomes of the file, the stages or the ledger in between. */
const AGAIN: readonly {
  readonly why: string;
  readonly file?: string;
  readonly content?: () => Buffer;
  readonly wrap?: (stage: Stage) => Stage;
  readonly between?: (path: string, made: TestDatabase) => Promise<string>;
}[] = [
  { why: 'a stage makes no promise', wrap: (stage) => stage },
  {
    why: 'the same bytes stand under another name',
    between: async (path) => {
      const other = `${path}.copy.csv`;
      copyFileSync(path, other);
      utimesSync(other, new Date(0), new Date(0));
      return other;
    },
  },
  {
    why: 'the ledger lacks a reject of what is loaded',
    between: async (path, made) => {
      await made.query(
        'DELETE FROM sluice.migration_reject WHERE line = (SELECT min(line) FROM sluice.migration_reject)',
      );
      return path;
    },
  },
];

for (const { why, file = 'hosts.csv', content = asCsv, wrap = stateless, between } of AGAIN)
  long(`a file is read again from its beginning where ${why}, and nothing is lost or doubled`, async (t) => {
    const path = join(folder(t), file);
    writeFileSync(path, content());
    const build = (from: string) => (stage: Stage) =>
      hosts({ hosts: csv(from) as Source }, [mustHave('name'), stage]);
    const made = await database(t);
    await breakOff(t, made, build(path), 15_000, wrap);
    const then = (await between?.(path, made)) ?? path;
    const { seen } = await goOn(t, made, build(then), wrap);
    assert.ok((seen.firstLine ?? 0) < 10, `it began at line ${seen.firstLine}`);
    const whole = await undisturbed(t, build(path));
    const { batch, ...rows } = await left(made);
    const { batch: _, ...others } = whole.left;
    assert.deepEqual(rows, others);
    assert.equal(
      (batch as { total_records: string }).total_records,
      (whole.left.batch as { total_records: string }).total_records,
    );
  });

test('a load whose pipeline stands in another file text than then is read again from its beginning, by all later attempts', async (t) => {
  const here = folder(t);
  const path = join(here, 'hosts.csv');
  const from = join(here, 'hosts.mjs');
  writeFileSync(path, asCsv());
  writeFileSync(from, '// then');
  const build = (stage: Stage) => hosts({ hosts: csv(path) as Source }, [mustHave('name'), stage]);
  const made = await database(t);
  await breakOff(t, made, build, 9_000, stateless, { from });
  writeFileSync(from, '// now');
  await breakOff(t, made, build, 15_000, stateless, { from, resume: '1' });
  writeFileSync(from, '// then');
  const { seen } = await goOn(t, made, build, stateless, { from });
  assert.ok((seen.firstLine ?? 0) < 10, `it began at line ${seen.firstLine}`);
  assert.deepEqual(await left(made), (await undisturbed(t, build)).left);
});

test('a file that was written to behind everybody’s back is not read on, though its size, time and ends are as they were', async (t) => {
  const path = join(folder(t), 'hosts.csv');
  writeFileSync(path, asCsv());
  const { mtime } = statSync(path);
  const build = (stage: Stage) => hosts({ hosts: csv(path) as Source }, [mustHave('name'), stage]);
  const made = await database(t);
  await breakOff(t, made, build, 9_000);
  writeFileSync(path, asCsv().replace('"host 2001,', '"hose 2001,'));
  utimesSync(path, mtime, mtime);
  const error = await thrown(
    runOn(t, made, build(stateless(watching({ rows: 0, firstLine: undefined }))), {
      ...OPTIONS,
      resume: '1',
    }),
  );
  assert.ok(error instanceof SluiceError && error.code === 'not_repeatable', String(error));
});

test('a run that keeps a record of every row reads all of them again', async (t) => {
  const path = join(folder(t), 'hosts.csv');
  writeFileSync(path, asCsv());
  const build = (stage: Stage): Pipeline => ({
    ...hosts({ hosts: csv(path) as Source }, [stage, stateless(filter(() => true, 'none'))]),
    records: { hosts: { type: 'host', sourceId: 'id' } },
  });
  const made = await database(t);
  await breakOff(t, made, build, 9_000);
  const { seen } = await goOn(t, made, build);
  assert.equal(seen.firstLine, 2);
  const [records] = await made.query(
    'SELECT count(*)::int AS n, count(DISTINCT line)::int AS lines FROM sluice.migration_record',
  );
  const [batch] = await made.query<{ n: number; skipped: number }>(
    'SELECT total_records::int AS n, skip_count::int AS skipped FROM sluice.migration_batch',
  );
  const kept = (batch?.n ?? 0) - (batch?.skipped ?? 0);
  assert.deepEqual(records, { n: kept, lines: kept });
});
