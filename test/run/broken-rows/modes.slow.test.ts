import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { append, merge, patch, replace, type Target } from '../../../src/core/target.js';
import { memory } from '../../../src/sources/memory.js';
import { csvFile, inShort, runAround } from '../../support/broken.js';
import { testDatabase } from '../../support/database.js';
import { loads } from '../../support/engine.js';

const COLUMNS = ['id', 'parent', 'amount', 'code'] as const;
const SYSTEM = `
CREATE TABLE parents (id int PRIMARY KEY);
INSERT INTO parents VALUES (1), (2);
CREATE DOMAIN small AS int CHECK (VALUE < 100);
CREATE TABLE items (id int CONSTRAINT items_pk PRIMARY KEY, parent int CONSTRAINT to_parent REFERENCES parents,
  amount small NOT NULL CONSTRAINT not_negative CHECK (amount >= 0), code text CONSTRAINT one_code UNIQUE, seen int DEFAULT 7);
INSERT INTO items VALUES (1, 1, 1, 'one'), (2, 2, 2, 'two'), (3, 1, 3, 'three'), (4, 1, 4, 'four'), (5, 1, 5, 'five'), (6, 1, 6, 'six'), (7, 1, 7, 'seven'), (8, 1, 8, 'eight')`;

/** Every line but the first and the last two breaks something, in any mode. */
const LINES = [
  'id,parent,amount,code',
  '1,1,10,a', // 2: good, where live may have the key
  '2,9,10,b', // 3: no such parent
  '3,1,-1,c', // 4: CHECK
  '4,1,,d', // 5: NOT NULL
  '5,1,500,e', // 6: the domain's CHECK
  '6,1,10,a', // 7: the code of line 2
  '1,2,10,f', // 8: the key of line 2
  '7,,10,g', // 9: good
  '8,2,10,h', // 10: good
];
const BROKEN = [
  '3 foreign_key_violation to_parent parent=9',
  '4 check_violation not_negative amount=-1',
  '5 null_in_not_null null amount=null',
  '6 check_violation small_check amount=500',
  '7 unique_violation one_code code=a',
  '8 unique_violation items_pk id=1',
];

const MODES: Readonly<Record<string, Target<(typeof COLUMNS)[number]>>> = {
  append: append('items', { columns: COLUMNS }),
  merge: merge('items', { columns: COLUMNS, key: ['id'] }),
  patch: patch('items', { columns: COLUMNS, key: ['id'] }),
  replace: replace('items', { columns: COLUMNS, omit: ['seen'] }),
};

for (const [mode, target] of Object.entries(MODES))
  test(`${mode}: all rows that break a constraint are rejects with line, column, value and its name; the others are published`, async (t) => {
    const database = await testDatabase(t);
    await database.query(mode === 'append' ? `${SYSTEM}; DELETE FROM items` : SYSTEM);
    const { ran, rejects } = await runAround(
      t,
      database,
      loads({ items: [target, csvFile(t, 'items.csv', ...LINES)] }),
    );
    assert.ok(!(ran instanceof SluiceError), String(ran));
    assert.deepEqual(inShort(rejects), BROKEN);
    assert.deepEqual([ran.summary.read, ran.summary.rejected, ran.summary.loaded.items], [9, 6, 3]);
    assert.deepEqual(rejects[0]?.raw, { id: '2', parent: '9', amount: '10', code: 'b' });
    const live = await database.query("SELECT id, code FROM items WHERE code ~ '^.$' ORDER BY id");
    assert.deepEqual(live, [
      { id: 1, code: 'a' },
      { id: 7, code: 'g' },
      { id: 8, code: 'h' },
    ]);
  });

test('without --max-rejects nothing is published, and the ledger has every one of them', async (t) => {
  const database = await testDatabase(t);
  await database.query(SYSTEM);
  for (const mode of ['merge', 'replace']) {
    const pipeline = loads({ items: [MODES[mode] as Target, csvFile(t, 'items.csv', ...LINES)] });
    const { ran, rejects } = await runAround(t, database, pipeline, {});
    assert.ok(ran instanceof SluiceError);
    assert.deepEqual([ran.code, ran.kind], ['too_many_rejects', 'refused']);
    assert.match(
      ran.facts.details?.join('\n') ?? '',
      /items\.csv, line 3: parent is "9"; .*constraint to_parent/,
    );
    assert.deepEqual(inShort(rejects), BROKEN, mode);
    const [live] = await database.query('SELECT count(*)::int AS n FROM items WHERE amount = 10');
    assert.equal(live?.n, 0);
  }
});

test('rows of an input that cannot be read twice are rejects with all their values; of a replaced table without a line', async (t) => {
  const database = await testDatabase(t);
  await database.query(SYSTEM);
  const rows = [
    { id: '21', parent: '9', amount: '1', code: 'x' },
    { id: '22', parent: '1', amount: '1', code: 'y' },
  ];
  for (const mode of ['replace', 'append']) {
    const once = { ...memory('items', rows), kind: 'stdin' as const, name: '-' };
    const { ran, rejects } = await runAround(t, database, loads({ items: [MODES[mode] as Target, once] }));
    assert.ok(!(ran instanceof SluiceError), String(ran));
    const line = mode === 'append' ? 1 : null;
    assert.deepEqual(inShort(rejects), [`${line} foreign_key_violation to_parent parent=9`]);
    assert.deepEqual(rejects[0]?.raw, rows[0]);
    await database.query('DELETE FROM items');
  }
});

test('a patch rejects each row whose key live lacks or has twice, and publishes the others', async (t) => {
  const database = await testDatabase(t);
  await database.query(
    "CREATE TABLE p (k text, v int); INSERT INTO p VALUES ('a', 1), ('b', 1), ('b', 2), ('c', 3)",
  );
  const input = csvFile(t, 'p.csv', 'k,v', 'a,7', 'z,7', 'b,7', ',7', 'c,8', 'y,1', 'c,9');
  const target = patch('p', { columns: ['k', 'v'], key: ['k'] });
  const { ran, rejects } = await runAround(t, database, loads({ p: [target, input] }));
  assert.ok(!(ran instanceof SluiceError), String(ran));
  assert.deepEqual(inShort(rejects), [
    '3 no_such_row null k=z',
    '4 cardinality_violation null k=b',
    '5 not_null_violation null k=null',
    '7 no_such_row null k=y',
    '8 unique_violation null k=c',
  ]);
  assert.deepEqual((await database.query("SELECT string_agg(k || v, ' ' ORDER BY k, v) AS p FROM p"))[0], {
    p: 'a7 b1 b2 c8',
  });
});
