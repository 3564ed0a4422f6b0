import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { StageCounter } from '../../../src/core/accounting.js';
import type { Cut, CutOptions, MetPart, Part, Uncut } from '../../../src/core/parts.js';
import { originOf, type Row, type Rows } from '../../../src/core/row.js';
import type { Source } from '../../../src/core/types.js';
import { sqlite } from '../../../src/sources/sqlite/index.js';
import { type TestRun, testRun } from '../../support/run.js';
import { isSluice } from '../../support/said.js';
import { sqliteFile } from '../../support/sqlite.js';
import { thrown } from '../../support/thrown.js';

/** Parts of 15 rows. */
const SMALL: CutOptions = { known: [], readers: 2, partBytes: 15 * 64 };

const MADE = `
CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT, at DATETIME);
WITH RECURSIVE n(i) AS (SELECT -30 UNION ALL SELECT i + 1 FROM n WHERE i < 170)
INSERT INTO notes SELECT i * i * i, CASE WHEN i % 40 = 7 THEN 'nul' || char(0) WHEN i % 9 > 0 THEN 'body ' || i END, 1700000000 + i FROM n;
DELETE FROM notes WHERE id % 7 = 3;
INSERT INTO notes VALUES (9223372036854775807, 'last', 1700000000), (-9223372036854775808, 'first', 1700000001)`;

interface Reading {
  readonly rows: (Row & { readonly origin: number | undefined })[];
  readonly rejects: unknown[];
}

async function gathered(rows: Rows, run: TestRun): Promise<Reading> {
  const all: Reading['rows'] = [];
  for await (const chunk of rows) for (const row of chunk) all.push({ ...row, origin: originOf(row) });
  return { rows: all, rejects: run.rejects.map(({ reason, line }) => [reason, line]) };
}

function runOf(t: TestContext): TestRun {
  const run = testRun();
  t.after(() => run.end());
  return run;
}

async function cutOf(source: Source, run: TestRun, how: CutOptions = SMALL): Promise<Cut> {
  const cut = (await source.cut?.(run, how)) as Cut | Uncut;
  assert.ok(!('rows' in cut), 'rows' in cut ? `in one piece: ${cut.why}` : '');
  return cut;
}

/** The parts of a cut, each read by its place alone. */
async function readParts(t: TestContext, cut: Cut): Promise<(Reading & { readonly part: Part })[]> {
  const parts: (Reading & { readonly part: Part })[] = [];
  for await (const { start, end, line, lines, of } of cut.parts()) {
    const part = await cut.part(JSON.parse(JSON.stringify({ start, end, line, lines, of })));
    const run = runOf(t);
    parts.push({ part, ...(await gathered(part.read(run), run)) });
    part.release();
  }
  return parts;
}

const together = (parts: readonly Reading[]): Reading => ({
  rows: parts.flatMap(({ rows }) => rows),
  rejects: parts.flatMap(({ rejects }) => rejects),
});

const met = ({ start, end, line, lines, note }: Part, pass = false): MetPart => ({
  start,
  end,
  line,
  lines,
  handed: 0,
  rows: 0,
  hash: '',
  raw: false,
  refused: [],
  stages: [new StageCounter('read').account()],
  columns: [],
  note: JSON.parse(JSON.stringify(note?.())),
  pass,
});

test('a table gives in parts what it gives in one piece, with the same ordinals and rejects', async (t) => {
  const source = sqlite(sqliteFile(t, MADE), { table: 'notes' });
  const run = runOf(t);
  const whole = await gathered(source.read(run), run);
  assert.ok(whole.rejects.length > 2 && whole.rows.length > 150);
  const cut = await cutOf(source, runOf(t));
  assert.match(cut.said ?? '', /^\d+ parts by the row numbers of notes$/);
  const parts = await readParts(t, cut);
  assert.ok(parts.length > 8, `${parts.length} parts`);
  assert.deepEqual(together(parts), whole);
});

test('known parts of a table are the same again, what is missing is read, and what is passed over is not', async (t) => {
  const path = sqliteFile(t, MADE);
  const source = sqlite(path, { table: 'notes' });
  const parts = await readParts(t, await cutOf(source, runOf(t)));
  const known = [1, 2, 5].map((at) => met((parts[at] as (typeof parts)[number]).part, at === 2));
  const again = await readParts(t, await cutOf(source, runOf(t), { known, readers: 1, partBytes: 640 }));
  const without = parts.filter((_, at) => at !== 2);
  assert.deepEqual(together(again), together(without));
  const strange = known.map((part) => ({ ...part, note: { by: 'ctid' } }));
  await assert.rejects(
    cutOf(source, runOf(t), { ...SMALL, known: strange }),
    isSluice('not_repeatable', /in other parts/),
  );
});

test('a part that has other rows than it had is refused', async (t) => {
  const source = sqlite(sqliteFile(t, MADE), { table: 'notes' });
  const [first, second] = await readParts(t, await cutOf(source, runOf(t)));
  const fewer = sqlite(sqliteFile(t, `${MADE}; DELETE FROM notes WHERE id BETWEEN -20000 AND -1000`), {
    table: 'notes',
  });
  const cut = await cutOf(fewer, runOf(t), {
    ...SMALL,
    known: [first, second].map((each) => met(each?.part as Part)),
  });
  const error = await thrown(readParts(t, cut));
  assert.equal(error.code, 'not_repeatable');
});

test('what has no row numbers, hides them, or is no table is read in one piece, and it is said why', async (t) => {
  const columns = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)';
  const path = sqliteFile(
    t,
    `CREATE TABLE "with'out" (a INTEGER PRIMARY KEY, b) WITHOUT ROWID; ${columns} INSERT INTO "with'out" SELECT i, i FROM n;
     CREATE TABLE hidden (rowid, _rowid_, OID); ${columns} INSERT INTO hidden SELECT i, 200 - i, i FROM n;
     CREATE TABLE half (rowid TEXT, body TEXT); ${columns} INSERT INTO half SELECT 200 - i, i FROM n;
     CREATE TABLE covered (a INTEGER, b INTEGER); ${columns} INSERT INTO covered SELECT 200 - i, i FROM n;
     CREATE TABLE few (a); INSERT INTO few VALUES (1); CREATE TABLE none (a);
     CREATE VIEW seen AS SELECT * FROM half`,
  );
  const why = async (table: string, how: CutOptions = SMALL) => {
    const cut = (await sqlite(path, { table }).cut?.(runOf(t), how)) as Cut | Uncut;
    if (!('rows' in cut)) return 'cut';
    const run = runOf(t);
    assert.deepEqual(
      await gathered(cut.rows(run), run),
      await gathered(sqlite(path, { table }).read(run), run),
    );
    return cut.why;
  };
  assert.match((await why("with'out")) ?? '', /no numbers/);
  assert.match((await why('seen')) ?? '', /no numbers/);
  assert.match((await why('hidden')) ?? '', /hidden/);
  assert.equal(await why('half'), 'cut');
  assert.match((await why('few')) ?? '', /small/);
  assert.match((await why('none')) ?? '', /small/);
  assert.match((await why('half', { ...SMALL, readers: 1 })) ?? '', /one session/);
  assert.equal(sqlite(path, { query: 'SELECT * FROM half' }).cut, undefined);
  const source = sqlite(path, { table: 'half' });
  const run = runOf(t);
  assert.deepEqual(
    together(await readParts(t, await cutOf(source, runOf(t)))),
    await gathered(source.read(run), run),
  );
});
