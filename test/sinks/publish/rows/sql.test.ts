import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settleStatement } from '../../../../sinks/publish/deferred.js';
import { appendStatements } from '../../../../sinks/publish/rows/append.js';
import { deleteStatements, mergeStatements, saveStatements } from '../../../../sinks/publish/rows/merge.js';
import { rowStagingTable } from '../../../../sinks/publish/rows/staging.js';
import { type RowTableFacts, undoTable } from '../../../../sinks/publish/rows/target.js';
import { withoutTriggers } from '../../../../sinks/publish/rows/triggers.js';
import type { RowColumn } from '../../../../src/db/catalog/row-tables.js';

const column = (name: string, more: Partial<RowColumn> = {}): RowColumn => ({
  name,
  type: 'bigint',
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
const id = column('id', { identity: 'always' });
const note = column('no"te', { type: 'xml', equality: null, sendable: false });
const names = { staging: 'b1_new', undo: 'b1_undo' };
const facts: RowTableFacts = {
  target: { schema: 'public', table: 'lots', mode: 'merge', columns: ['id', 'no"te'] },
  live: {
    oid: 1,
    schema: 'public',
    table: 'lots',
    kind: 'r',
    owned: true,
    mayDelete: true,
    rowSecurity: false,
    policies: [],
    rules: [],
    heirs: [],
    foreign: [],
    deferrable: true,
    columns: [id, note],
    keys: [],
    children: [],
    parents: [],
    triggers: [
      { schema: 'public', table: 'lots', name: 'on', enabled: 'O', before: true, insert: true },
      { schema: 'public', table: 'lots', name: 'always', enabled: 'A', before: false, insert: true },
      { schema: 'public', table: 'lots', name: 'off', enabled: 'D', before: true, insert: true },
      { schema: 'public', table: 'lots', name: 'replica', enabled: 'R', before: true, insert: true },
    ],
  },
  key: [id],
  keyEnforced: true,
  loaded: [id, note],
  values: [note],
  image: [id, note],
  constraints: {
    checks: [],
    uniques: [],
    exclusions: [],
    foreignKeys: [],
    fills: [],
    changedBefore: { insert: false, update: false },
    firesBeforeKeys: false,
    rowInsertTriggers: false,
  },
  numbered: false,
  inOrder: false,
};
const USERS =
  "SELECT pg_catalog.set_config('search_path', pg_catalog.current_setting('sluice.search_path'), true)";
const OURS = "SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true)";
const numbered = { ...facts, numbered: true, inOrder: true };

test('rows that something numbers go in in the order in which they were loaded, and only those are sorted', () => {
  const order = ' FROM "b1_new"."lots" s ORDER BY s.sluice_row RETURNING ';
  const target = { ...facts.target, mode: 'append' as const };
  const writes = (statements: string[]) => statements.filter((sql) => sql.startsWith('WITH'));
  assert.ok(writes(appendStatements({ ...numbered, target }, names, 'at once'))[0]?.includes(order));
  const merged = writes(mergeStatements(numbered, names, 'at once'));
  assert.ok(merged[1]?.includes(' ORDER BY s.sluice_row RETURNING '));
  for (const sql of [
    ...appendStatements({ ...facts, target }, names, 'at once'),
    ...mergeStatements(facts, names, 'at once'),
  ])
    assert.ok(!sql.includes('ORDER BY'), sql);
});

test('staging has the loaded columns, and where rows came from only if that may be asked', () => {
  assert.equal(
    rowStagingTable(facts, names),
    `CREATE TABLE "b1_new"."lots" AS SELECT "id", "no""te" FROM "public"."lots" WITH NO DATA`,
  );
  assert.equal(
    rowStagingTable(numbered, names),
    `CREATE TABLE "b1_new"."lots" AS SELECT "id", "no""te", NULL::bigint AS sluice_row, NULL::bigint AS sluice_line FROM "public"."lots" WITH NO DATA`,
  );
});

test('an append is one scan that notes what it added, along the search_path that the application has', () => {
  assert.deepEqual(
    appendStatements({ ...facts, target: { ...facts.target, mode: 'append' } }, names, 'at once'),
    [
      USERS,
      `WITH w AS (INSERT INTO "public"."lots" AS l ("id", "no""te") OVERRIDING SYSTEM VALUE SELECT s."id", s."no""te" FROM "b1_new"."lots" s RETURNING l."id", 'added', pg_catalog.sha256(pg_catalog.record_send(ROW(l."id", l."no""te"::pg_catalog.text)))) INSERT INTO "b1_undo"."lots__written" ("id", sluice_kind, sluice_hash) SELECT * FROM w`,
      OURS,
    ],
  );
});

test('a merge saves images of what differs byte by byte, updates just that, and inserts what is new', () => {
  assert.deepEqual(saveStatements(facts, names), [
    `INSERT INTO "b1_undo"."lots__before" ("id", "no""te", sluice_xmin) SELECT l."id", l."no""te", l.xmin FROM "public"."lots" l JOIN "b1_new"."lots" s ON l."id" OPERATOR(pg_catalog.=) s."id" WHERE ROW(l."no""te")::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(s."no""te")::pg_catalog.record`,
  ]);
  assert.deepEqual(mergeStatements(facts, names, 'at the end'), [
    USERS,
    `WITH w AS (UPDATE "public"."lots" AS l SET "no""te" = s."no""te" FROM "b1_undo"."lots__before" b JOIN "b1_new"."lots" s ON s."id" OPERATOR(pg_catalog.=) b."id" WHERE l."id" OPERATOR(pg_catalog.=) b."id" RETURNING l."id", 'changed', NULL::pg_catalog.bytea) INSERT INTO "b1_undo"."lots__written" ("id", sluice_kind, sluice_hash) SELECT * FROM w`,
    OURS,
    USERS,
    `WITH w AS (INSERT INTO "public"."lots" AS l ("id", "no""te") OVERRIDING SYSTEM VALUE SELECT s."id", s."no""te" FROM "b1_new"."lots" s WHERE NOT EXISTS (SELECT FROM "public"."lots" o WHERE o."id" OPERATOR(pg_catalog.=) s."id") RETURNING l."id", 'added', NULL::pg_catalog.bytea) INSERT INTO "b1_undo"."lots__written" ("id", sluice_kind, sluice_hash) SELECT * FROM w`,
    OURS,
  ]);
});

test('nothing that is run along the search_path of the application is looked up along it', () => {
  const named = facts.live;
  const uniques = [
    {
      name: 'lots_place',
      columns: ['no"te'],
      parts: [{ expression: '"no""te"', collation: null, operator: 'OPERATOR(pg_catalog.=)' }],
      nullsDistinct: true,
      asked: 'by row' as const,
    },
  ] as unknown as typeof facts.constraints.uniques;
  const exchanged = {
    ...numbered,
    live: { ...named, triggers: [] },
    constraints: { ...facts.constraints, uniques },
  };
  const all = [
    ...appendStatements({ ...numbered, target: { ...facts.target, mode: 'append' } }, names, 'at once'),
    ...mergeStatements(numbered, names, 'at once'),
    ...mergeStatements(exchanged, names, 'at the end'),
    ...deleteStatements({ ...facts, target: { ...facts.target, mode: 'sync' } }, names),
  ];
  const along: string[] = [];
  for (const [at, sql] of all.entries()) {
    if (all[at - 1] === USERS) along.push(sql);
    // Within a block of plpgsql.
    const [users, ours] = [USERS, OURS].map((each) =>
      each.replace('SELECT', 'PERFORM').replaceAll("'", "''"),
    );
    for (const piece of sql.split(`${users}; `).slice(1)) along.push(piece.split(`; ${ours}`)[0] as string);
  }
  assert.ok(along.length > 6);
  for (const sql of along) assert.deepEqual(lookedUp(sql), [], sql);
  assert.deepEqual(
    lookedUp(`SELECT count(*), a || 'x' FROM t WHERE b = 1 AND c IN (2) AND d::text IS NULL`),
    ['count(', '||', '=', 'IN (', '::text'],
  );
});

/** What of a statement PostgreSQL would look up along the search_path: functions, operators, types, and what means one. */
function lookedUp(sql: string): string[] {
  const bare = sql
    .replace(/'(?:[^']|'')*'/g, '~')
    .replace(/"(?:[^"]|"")*"/g, 'q')
    .replace(/OPERATOR\(pg_catalog\.[^)]+\)/g, '~')
    .replace(/\bSET (q = (\w+\.q|NULL)(, )?)+/g, 'SET ');
  const grammar =
    /^(AS|ROW|ANY|EXISTS|VALUES|LEAST|SELECT|FROM|WITH|INTO|OVER|JOIN|AND|NOT|BY|w|a|q|p|u|l|s) ?\($/;
  return [
    ...bare.matchAll(
      /(?<![\w.])\w+ ?\(|::(?!pg_catalog\.)\w+|[=<>|+*/-]{1,2}(?!\))|\bIN \(|\bIS DISTINCT\b|\bUSING \(/g,
    ),
  ]
    .map(([found]) => found)
    .filter((found) => !grammar.test(found) && found !== '*');
}

test('triggers that fire are switched off by name and come back as they were', () => {
  const settle = settleStatement([facts.live]);
  assert.deepEqual(withoutTriggers(facts, ['X']), [
    settle,
    'ALTER TABLE ONLY "public"."lots" DISABLE TRIGGER "on"',
    'ALTER TABLE ONLY "public"."lots" DISABLE TRIGGER "always"',
    'X',
    settle,
    'ALTER TABLE ONLY "public"."lots" ENABLE TRIGGER "on"',
    'ALTER TABLE ONLY "public"."lots" ENABLE ALWAYS TRIGGER "always"',
  ]);
});

test('undo tables of names that share 60 bytes do not meet, and fit an identifier', () => {
  const stem = 'ü'.repeat(30);
  const made = ['a', 'b'].flatMap((end) =>
    ['before', 'written'].map((s) => undoTable('public', stem + end, s)),
  );
  assert.equal(new Set(made).size, 4);
  for (const name of made) assert.ok(Buffer.byteLength(name) <= 63, name);
  assert.equal(undoTable('public', 'lots', 'before'), 'lots__before');
  assert.equal(undoTable('shop', 'lots', 'before'), 'shop.lots__before');
});
