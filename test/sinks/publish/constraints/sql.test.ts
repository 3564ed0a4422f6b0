import assert from 'node:assert/strict';
import { test } from 'node:test';
import { futureRows } from '../../../../sinks/publish/constraints/future.js';
import { keyQuestions } from '../../../../sinks/publish/constraints/keys.js';
import { parentQuestions, rowQuestions } from '../../../../sinks/publish/constraints/questions.js';
import { putBackSql, refuseSql } from '../../../../sinks/publish/constraints/refused.js';
import { rowSubject } from '../../../../sinks/publish/constraints/subject.js';
import type { RowTableFacts } from '../../../../sinks/publish/rows/target.js';
import type { RowConstraints } from '../../../../src/db/catalog/row-constraints.js';
import type { RowColumn } from '../../../../src/db/catalog/row-tables.js';

const column = (name: string, more: Partial<RowColumn> = {}): RowColumn => ({
  name,
  type: 'integer',
  notNull: false,
  filled: false,
  identity: null,
  generated: false,
  equality: 'OPERATOR(pg_catalog.=)',
  sendable: true,
  sequence: null,
  may: { select: true, insert: true, update: true },
  ...more,
});
const [id, parent, kind, twice] = [
  column('id', { notNull: true }),
  column('pa"rent'),
  column('kind'),
  column('twice', { generated: true }),
];
const names = { staging: 'new', undo: 'undo' };
const nothing: RowConstraints = {
  checks: [],
  uniques: [],
  exclusions: [],
  foreignKeys: [],
  fills: [
    { column: 'kind', generated: false, expression: '7', columns: [], volatile: false, numbers: false },
    {
      column: 'twice',
      generated: true,
      expression: '(kind * 2)',
      columns: ['kind'],
      volatile: false,
      numbers: false,
    },
  ],
  changedBefore: { insert: false, update: false },
  firesBeforeKeys: false,
  rowInsertTriggers: false,
};

function facts(mode: 'append' | 'merge' | 'patch', constraints: Partial<RowConstraints> = {}): RowTableFacts {
  return {
    target: { schema: 'public', table: 't', mode, columns: ['id', 'pa"rent'] },
    live: {
      oid: 1,
      schema: 'public',
      table: 't',
      kind: 'r',
      owned: true,
      mayDelete: true,
      rowSecurity: false,
      rules: [],
      policies: [],
      heirs: [],
      foreign: [],
      deferrable: false,
      columns: [id, parent, kind, twice] as RowColumn[],
      keys: [],
      children: [],
      parents: [],
      triggers: [],
    },
    key: mode === 'append' ? [] : [id as RowColumn],
    keyEnforced: true,
    loaded: [id, parent] as RowColumn[],
    values: [parent] as RowColumn[],
    image: [id, parent, kind] as RowColumn[],
    constraints: { ...nothing, ...constraints },
    numbered: true,
    inOrder: false,
  };
}
const subject = (...of: Parameters<typeof facts>) => rowSubject(1, facts(...of), names);
const equal = 'OPERATOR(pg_catalog.=)';

test('rows as live will have them: loaded columns, those of the row that is changed, defaults, generated ones', () => {
  const start = 'SELECT s.ctid AS sluice_place, s.sluice_row, s.sluice_line';
  assert.equal(futureRows(facts('append'), names, ['id']), `${start}, s."id" FROM "new"."t" s`);
  assert.equal(
    futureRows(facts('append'), names, ['twice']),
    `SELECT g.*, ((kind * 2)) AS "twice" FROM (${start}, (7) AS "kind" FROM "new"."t" s) g`,
  );
  assert.equal(
    futureRows(facts('merge'), names, ['pa"rent', 'kind'], '"new"."other"'),
    `${start}, s."pa""rent", CASE WHEN l.ctid IS NULL THEN (7) ELSE l."kind" END AS "kind" FROM "new"."other" s LEFT JOIN "public"."t" l ON l."id" ${equal} s."id"`,
  );
  assert.equal(
    futureRows(facts('patch'), names, ['kind']),
    `${start}, l."kind" AS "kind" FROM "new"."t" s JOIN "public"."t" l ON l."id" ${equal} s."id"`,
  );
  const numbered = [{ ...(nothing.fills[0] as (typeof nothing.fills)[number]), volatile: true }];
  assert.equal(futureRows(facts('append', { fills: numbered }), names, ['kind']), undefined);
  assert.notEqual(futureRows(facts('patch', { fills: numbered }), names, ['kind']), undefined);
});

test('a CHECK is asked of the rows that are written, and not at all where a trigger may still change them', () => {
  const checks = [{ name: 'c', expression: '(id > 0)', columns: ['id'] }];
  const asked = rowQuestions(subject('merge', { checks }));
  assert.deepEqual(
    asked.map(({ breach, constraint, columns }) => [breach, constraint, columns]),
    [
      ['not_null_violation', null, ['id']],
      ['check_violation', 'c', ['id']],
    ],
  );
  assert.equal(
    asked[1]?.bad,
    `SELECT b.sluice_place, NULL::bigint AS sluice_first_row, NULL::bigint AS sluice_first_line FROM (SELECT sluice_place FROM (SELECT s.ctid AS sluice_place, s.sluice_row, s.sluice_line, s."id" FROM "new"."t" s) f WHERE NOT ((id > 0))) b JOIN "new"."t" s ON s.ctid ${equal} b.sluice_place WHERE NOT EXISTS (SELECT FROM "public"."t" l WHERE l."id" ${equal} s."id" AND NOT (ROW(l."pa""rent")::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(s."pa""rent")::pg_catalog.record))`,
  );
  const changed = { checks, changedBefore: { insert: true, update: false } };
  assert.deepEqual(rowQuestions(subject('append', changed)), []);
  const patched = rowQuestions(subject('patch', changed));
  assert.deepEqual(
    patched.map(({ breach }) => breach),
    ['not_null_violation', 'no_such_row', 'check_violation'],
  );
  assert.equal(
    patched[1]?.bad,
    `SELECT s.ctid AS sluice_place, NULL::bigint AS sluice_first_row, NULL::bigint AS sluice_first_line FROM "new"."t" s WHERE NOT EXISTS (SELECT FROM "public"."t" l WHERE l."id" ${equal} s."id")`,
  );
});

test('a parent may be in live or in the batch; of a replaced one only the new rows count, and unknown keys are not asked', () => {
  const key = {
    name: 'fk',
    columns: ['pa"rent'],
    parent: { oid: 2, schema: 'public', table: 'p' },
    parentColumns: ['id'],
    operators: [equal],
    full: false,
  };
  const of = subject('append', { foreignKeys: [key] });
  const p = {
    schema: 'public',
    table: 'p',
    rows: '"new"."p"',
    replaces: false,
    known: new Set(['id']),
    adds: true,
  };
  const live = `NOT EXISTS (SELECT FROM "public"."p" p WHERE p."id" ${equal} f."pa""rent")`;
  const staged = `NOT EXISTS (SELECT FROM "new"."p" p WHERE p."id" ${equal} f."pa""rent")`;
  const bad = (company: Parameters<typeof parentQuestions>[1]) => parentQuestions(of, company)[0]?.bad ?? '';
  assert.ok(bad([]).includes(`f."pa""rent" IS NOT NULL AND ${live})`));
  assert.ok(bad([p]).includes(`AND ${live} AND ${staged})`));
  assert.ok(bad([{ ...p, replaces: true }]).includes(`IS NOT NULL AND ${staged})`));
  assert.equal(bad([{ ...p, known: new Set() }]), '');
  assert.ok(bad([{ ...p, known: new Set(), adds: false }]).includes(live));
});

test('of rows with one value the first stays, and one that live has just so before all', () => {
  const unique = {
    name: 'u',
    parts: [{ expression: 'lower(x)', collation: '"pg_catalog"."C"', operator: equal }],
    predicate: '(id > 5)',
    asked: 'by row' as const,
    nullsDistinct: true,
    columns: ['id', 'pa"rent'],
  };
  const [twice, taken] = keyQuestions(subject('append', { uniques: [unique] }));
  const rows =
    'SELECT sluice_place, sluice_row, sluice_line, (lower(x)) COLLATE "pg_catalog"."C" AS sluice_u1 FROM (SELECT s.ctid AS sluice_place, s.sluice_row, s.sluice_line, s."id", s."pa""rent" FROM "new"."t" s) i WHERE (id > 5)';
  assert.equal(
    twice?.bad,
    `SELECT d.sluice_place, d.sluice_first_row, d.sluice_first_line FROM (SELECT f.sluice_place, row_number() OVER w AS n, first_value(f.sluice_row) OVER w AS sluice_first_row, first_value(f.sluice_line) OVER w AS sluice_first_line FROM (${rows}) f JOIN (SELECT f.sluice_u1 FROM (${rows}) f WHERE f.sluice_u1 IS NOT NULL GROUP BY f.sluice_u1 HAVING count(*) > 1) t ON f.sluice_u1 ${equal} t.sluice_u1 WINDOW w AS (PARTITION BY f.sluice_u1 ORDER BY f.sluice_row)) d WHERE d.n > 1`,
  );
  assert.equal(
    taken?.bad,
    `SELECT f.sluice_place, NULL::bigint AS sluice_first_row, NULL::bigint AS sluice_first_line FROM (${rows}) f WHERE EXISTS (SELECT FROM (SELECT (lower(x)) COLLATE "pg_catalog"."C" AS sluice_u1 FROM "public"."t" i WHERE (id > 5)) o WHERE o.sluice_u1 ${equal} f.sluice_u1)`,
  );
  const merged = keyQuestions(subject('merge', { uniques: [unique] }));
  assert.deepEqual(
    merged.map(({ constraint, columns }) => [constraint, columns]),
    [
      [null, ['id']],
      ['u', ['id', 'pa"rent']],
      ['u', ['id', 'pa"rent']],
    ],
  );
  assert.match(
    merged[1]?.bad ?? '',
    /ORDER BY \(EXISTS \(SELECT FROM .* o\."id" OPERATOR\(pg_catalog\.=\) f\."id" AND .*\)\) DESC, f\.sluice_row/,
  );
  assert.match(
    merged[2]?.bad ?? '',
    /AND NOT EXISTS \(SELECT FROM "new"\."t" r WHERE r\."id" OPERATOR\(pg_catalog\.=\) o\."id"\)/,
  );
});

test('rows go from staging to the refused ones, and back, as texts of their columns', () => {
  const question = {
    breach: 'check_violation',
    constraint: "it's",
    columns: ['id'],
    expected: 'x',
    bad: 'B',
  } as const;
  assert.equal(
    refuseSql(subject('append'), question, 'new'),
    `WITH bad AS (SELECT DISTINCT ON (sluice_place) sluice_place, sluice_first_row, sluice_first_line FROM (B) q ORDER BY sluice_place), g AS (DELETE FROM "new"."t" s USING bad b WHERE s.ctid ${equal} b.sluice_place RETURNING s.sluice_row, s.sluice_line, b.sluice_first_row, b.sluice_first_line, pg_catalog.json_object(ARRAY['id', 'pa"rent']::text[], ARRAY[s."id"::text, s."pa""rent"::text]::text[]) AS loaded) INSERT INTO "new"."sluice_refused" (at, row_number, line, breach, sqlstate, constraint_name, columns, expected, first_row, first_line, loaded) SELECT 1, g.sluice_row, g.sluice_line, 'check_violation', '23514', 'it''s', ARRAY['id']::text[], 'x', g.sluice_first_row, g.sluice_first_line, g.loaded FROM g`,
  );
  assert.equal(
    putBackSql(subject('append'), 'new'),
    `WITH r AS (DELETE FROM "new"."sluice_refused" WHERE at = 1 RETURNING *) INSERT INTO "new"."t" ("id", "pa""rent", sluice_row, sluice_line) SELECT (r.loaded->>'id')::integer, (r.loaded->>'pa"rent')::integer, r.row_number, r.line FROM r`,
  );
});
