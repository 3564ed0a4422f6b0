import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { openPartLane, type PartLaneOptions, type PartNote } from '../../../sinks/load/part-lane.js';
import { type StageAccount, StageCounter } from '../../../src/core/accounting.js';
import type { PartStaging } from '../../../src/core/part-staging.js';
import type { CsvText, Cut, KnownPart, Part, TextPart } from '../../../src/core/parts.js';
import { readColumns } from '../../../src/db/catalog/columns.js';
import { PINNED_BESIDE_CODE } from '../../../src/db/pinned.js';
import { csv } from '../../../src/sources/csv/index.js';
import { type TestDatabase, testDatabase } from '../../support/database.js';
import { tempFile } from '../../support/files.js';
import { openDatabase } from '../../support/lots.js';
import { type TestRun, testRun } from '../../support/run.js';
import { thrown } from '../../support/thrown.js';

/** A table, a lane that fills it, and what that lane has told. */
interface Opened {
  readonly lane: PartStaging;
  readonly noted: PartNote[];
  readonly run: TestRun;
  readonly refused: TestRun;
}

async function laneOf(
  t: TestContext,
  database: TestDatabase,
  more: Partial<PartLaneOptions> = {},
): Promise<Opened> {
  const noted: PartNote[] = [];
  const [run, refused] = [testRun(), testRun()];
  const ours = openDatabase(t, database);
  const options: PartLaneOptions = {
    schema: 'public',
    table: 'staged',
    liveName: 'public.staged',
    columns: await readColumns(ours, 'public', 'staged'),
    wanted: ['id', 'day', 'name'],
    known: () => undefined,
    connect: () => ours.connect('test lane', PINNED_BESIDE_CODE),
    async onPart(_client, part) {
      noted.push(part);
    },
    ...more,
  };
  const lane = (await openPartLane(options, run, refused)) as PartStaging;
  return { lane, noted, run, refused };
}

const table = (extra = '') => `CREATE TABLE staged (id int NOT NULL, day date, name text${extra})`;

/** The parts of a CSV file, and how its text is written. */
async function partsOf(
  t: TestContext,
  lines: readonly string[],
  partBytes = 100_000,
): Promise<{ readonly parts: TextPart[]; readonly csv: CsvText }> {
  const cut = (await csv(tempFile(t, 'a.csv', `id,day,name\n${lines.join('\n')}\n`)).cut?.(testRun(), {
    known: [],
    partBytes,
  })) as Cut;
  const parts: TextPart[] = [];
  for await (const part of cut.parts()) parts.push(part as TextPart);
  return { parts, csv: cut.csv as CsvText };
}

const accounts = (rows: number): StageAccount[] =>
  [new StageCounter('read', '', 'source'), new StageCounter('into', '', 'end')].map((each) => {
    each.in = rows;
    each.out = rows;
    return each.account();
  });

/** The part as its rows. */
async function written(lane: PartStaging, part: Part): Promise<void> {
  lane.begin(part);
  let rows = 0;
  for await (const chunk of part.read(testRun())) {
    rows += chunk.length;
    await lane.write(chunk);
  }
  await lane.endPart(accounts(rows), undefined);
}

const asKnown = (note: PartNote | undefined): KnownPart => ({ ...(note as PartNote), columns: [] });

test('a part goes to the server as it is, and is there with its note or not at all', async (t) => {
  const database = await testDatabase(t);
  await database.query(table());
  const { parts, csv: text } = await partsOf(t, [
    '1,2024-02-29,plain',
    '2,,"quoted, ""twice"""',
    '3,2024-01-01,""',
  ]);
  const { lane, noted } = await laneOf(t, database);
  assert.equal(await lane.raw?.(parts[0] as TextPart, text, accounts), 3);
  await lane.close();
  assert.deepEqual(await database.query('SELECT id, day::text, name FROM staged ORDER BY id'), [
    { id: 1, day: '2024-02-29', name: 'plain' },
    { id: 2, day: null, name: 'quoted, "twice"' },
    { id: 3, day: '2024-01-01', name: '' },
  ]);
  const [note] = noted;
  assert.deepEqual([note?.handed, note?.rows, note?.raw, note?.start, note?.lines], [3, 3, true, 12, 3]);
  const failing = await laneOf(t, database, {
    onPart: async () => {
      throw new Error('the ledger is full');
    },
  });
  const error = await thrown(Promise.resolve(failing.lane.raw?.(parts[0] as TextPart, text, accounts)));
  assert.match(error.message, /the ledger is full/);
  await failing.lane.discard();
  assert.equal((await database.query('SELECT FROM staged')).length, 3);
});

for (const [why, line] of [
  ['the gate is not sure about', '7,today,x'],
  ['the server alone refuses', '7,2024-01-01,refused'],
] as const)
  test(`a part with a value that ${why} is left to the reader, and nothing of it is loaded`, async (t) => {
    const database = await testDatabase(t);
    await database.query(table(", CHECK (name <> 'refused')"));
    const { parts, csv: text } = await partsOf(t, ['1,2024-01-01,a', line, '3,2024-01-02,b']);
    const { lane, noted, run, refused } = await laneOf(t, database);
    assert.equal(await lane.raw?.(parts[0] as TextPart, text, accounts), undefined);
    assert.equal(noted.length, 0);
    await written(lane, parts[0] as Part);
    await lane.close();
    assert.deepEqual(
      (await database.query('SELECT id FROM staged ORDER BY id')).map(({ id }) => id),
      [1, 3],
    );
    assert.equal(run.rejects.length + refused.rejects.length, 1);
    const [note] = noted;
    assert.equal(note?.raw, false);
    assert.deepEqual([note?.handed, note?.rows], refused.rejects.length === 1 ? [3, 2] : [2, 2]);
    assert.equal(note?.stages.at(-1)?.rejected.check_violation ?? 0, refused.rejects.length);
  });

test('text whose columns are not those of the table is left to the reader', async (t) => {
  const database = await testDatabase(t);
  await database.query(table(", more text DEFAULT 'x'"));
  const { parts, csv: text } = await partsOf(t, ['1,2024-01-01,a']);
  for (const wanted of [
    ['id', 'name'],
    ['id', 'day', 'name', 'more'],
  ]) {
    const { lane } = await laneOf(t, database, { wanted });
    assert.equal(await lane.raw?.(parts[0] as TextPart, text, accounts), undefined, String(wanted));
    await lane.close();
  }
});

test('a part that is known is compared and not loaded again, as text and as rows; another one is refused', async (t) => {
  const database = await testDatabase(t);
  await database.query(table(", CHECK (name <> 'refused')"));
  const lines = ['1,2024-01-01,a', '2,2024-01-02,b'];
  const { parts, csv: text } = await partsOf(t, lines);
  const first = await laneOf(t, database);
  await first.lane.raw?.(parts[0] as TextPart, text, accounts);
  await first.lane.close();
  const again = await laneOf(t, database, { known: () => asKnown(first.noted[0]) });
  assert.equal(await again.lane.raw?.(parts[0] as TextPart, text, accounts), 2);
  await again.lane.close();
  const { parts: others } = await partsOf(t, ['1,2024-01-01,a', '2,2024-01-02,c']);
  const other = await laneOf(t, database, { known: () => asKnown(first.noted[0]) });
  assert.equal(await other.lane.raw?.(others[0] as TextPart, text, accounts), undefined);
  assert.equal((await thrown(written(other.lane, others[0] as Part))).code, 'not_repeatable');
  await other.lane.discard();
  assert.equal((await database.query('SELECT FROM staged')).length, 2);

  const { parts: mixed } = await partsOf(t, [...lines, '3,2024-01-03,refused', '4,never,d']);
  const rows = await laneOf(t, database);
  await written(rows.lane, mixed[0] as Part);
  await rows.lane.close();
  const known = asKnown(rows.noted[0]);
  assert.deepEqual([known.handed, known.rows], [3, 2]);
  const repeated = await laneOf(t, database, { known: () => known });
  await written(repeated.lane, mixed[0] as Part);
  await repeated.lane.close();
  assert.equal((await database.query('SELECT FROM staged')).length, 4);
  assert.deepEqual(repeated.noted, []);
  // What was refused is refused again, by whoever refused it.
  assert.deepEqual(
    [...repeated.run.rejects, ...repeated.refused.rejects].map(({ row }) => row?.id),
    ['4', '3'],
  );
  const { parts: changed } = await partsOf(t, [...lines, '3,2024-01-03,refused', '5,2024-01-01,d']);
  const differs = await laneOf(t, database, { known: () => known });
  const error = await thrown(written(differs.lane, changed[0] as Part).then(() => differs.lane.close()));
  assert.equal(error.code, 'not_repeatable');
});

test('parts that are loaded out of their order are numbered in the order of the input', async (t) => {
  const database = await testDatabase(t);
  await database.query(table(', sluice_row bigint, sluice_line bigint'));
  const lines = Array.from({ length: 9000 }, (_, i) => `${i},2024-01-01,${'x'.repeat(i % 30)}`);
  const { parts, csv: text } = await partsOf(t, lines, 70_000);
  assert.ok(parts.length > 3);
  const { lane } = await laneOf(t, database, { numberedBehind: 2 ** 44 });
  // One after the other as rows and as text.
  for (const [at, part] of [...parts].reverse().entries())
    if (at % 2 === 0) await written(lane, part);
    else assert.ok(((await lane.raw?.(part, text, accounts)) ?? 0) > 0);
  await lane.close();
  const [found] = await database.query(
    `SELECT count(*)::int AS rows, count(DISTINCT sluice_row)::int AS numbers, min(sluice_row) > 2^44 AS above,
            bool_and(id = sluice_line - 2) AS lines, bool_and(next IS NULL OR next = id + 1) AS ordered
     FROM (SELECT *, lead(id) OVER (ORDER BY sluice_row) AS next FROM staged) s`,
  );
  assert.deepEqual(found, { rows: 9000, numbers: 9000, above: true, lines: true, ordered: true });
});

test('more rows than a part has numbers for are an error that says how to load them', async (t) => {
  const database = await testDatabase(t);
  await database.query(table(', sluice_row bigint, sluice_line bigint'));
  const { parts } = await partsOf(t, ['1,,']);
  const { lane } = await laneOf(t, database, { numberedBehind: 0 });
  lane.begin(parts[0] as Part);
  await lane.write(Array.from({ length: 17 }, (_, id) => ({ id, day: null, name: null })));
  const error = await thrown(lane.endPart(accounts(17), undefined));
  assert.equal(error.code, 'part_overfull');
  await lane.discard();
  assert.deepEqual(await database.query('SELECT FROM staged'), []);
});

test('a part without a row is noted all the same', async (t) => {
  const database = await testDatabase(t);
  await database.query(table());
  const { parts } = await partsOf(t, ['no id,2024-01-01,a']);
  const { lane, noted, run } = await laneOf(t, database);
  await written(lane, parts[0] as Part);
  await lane.close();
  assert.equal(run.rejects.length, 1);
  assert.deepEqual(
    noted.map(({ handed, rows }) => [handed, rows]),
    [[0, 0]],
  );
});
