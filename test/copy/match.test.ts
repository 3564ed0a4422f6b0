import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchColumns } from '../../src/copy/match.js';
import type { MatchOptions } from '../../src/copy/match-options.js';
import { SluiceError } from '../../src/core/errors/sluice-error.js';
import type { ColumnFacts } from '../../src/db/catalog/columns.js';

const column = (name: string, more: Partial<ColumnFacts> = {}): ColumnFacts => ({
  name,
  position: 1,
  type: 'text',
  base: 'text',
  baseOid: 25,
  kind: 'scalar',
  notNull: false,
  hasDefault: false,
  ...more,
});

const orders = {
  name: 'public.orders',
  columns: [
    column('id', { notNull: true }),
    column('customer'),
    column('total'),
    column('note', { notNull: true, hasDefault: true }),
    column('sum', { generated: 'stored' }),
  ],
};

const match = (names: readonly string[], options: Partial<MatchOptions> = {}, table = orders) =>
  matchColumns('orders.csv', names, table, { mode: 'append', ...options });

/** The error's code, and all that it tells to do. */
function refusal(work: () => unknown): { code: string; message: string; next: string; details: string } {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof SluiceError, String(error));
    assert.equal(error.kind, 'usage');
    const { next = [], details = [] } = error.facts;
    return {
      code: error.code,
      message: error.message,
      next: [next].flat().join('\n'),
      details: details.join('\n'),
    };
  }
  return assert.fail('nothing was refused');
}

test('a column that the table lacks is refused with the nearest name and both ways out', () => {
  const said = refusal(() => match(['id', 'customr', 'weather']));
  assert.equal(said.code, 'extra_columns');
  assert.match(said.details, /"customr": did you mean customer\?/);
  assert.match(said.next, /--map customr=customer --skip-columns weather/);
  assert.match(said.next, /--skip-columns customr,weather/);
});

test('a header that is one column suggests another delimiter', () => {
  assert.match(refusal(() => match(['id;customer;total'])).next, /--delimiter ';'/);
  assert.match(refusal(() => match(['id\tcustomer'])).next, /--delimiter tab/);
});

test('a NOT NULL column without a default that the file lacks is refused, with --map as the way out', () => {
  const said = refusal(() => match(['customer', 'total']));
  assert.equal(said.code, 'missing_column');
  assert.match(said.message, /public\.orders\.id/);
  assert.match(said.next, /column of the file|under another name/);
  assert.match(said.next, /\(--map\)/);
});

test('replace refuses to lose a column, and names the whole --omit to type', () => {
  const said = refusal(() => match(['id', 'customer'], { mode: 'replace' }));
  assert.equal(said.code, 'unfilled_columns');
  assert.match(said.next, /--omit total,note /);
  assert.deepEqual(match(['id', 'customer'], { mode: 'replace', omit: ['total', 'note'] }).columns, [
    'id',
    'customer',
  ]);
});

test('what only the first rows of JSON lack may come further down: all columns are offered to be loaded', () => {
  const said = refusal(() => match(['id', 'customer'], { mode: 'replace', open: true }));
  assert.match(said.message, /first rows/);
  assert.match(said.next, /--columns id,customer,total,note$/m);
  const keyless = refusal(() => match(['customer'], { mode: 'patch', key: ['id'], open: true }));
  assert.match(keyless.next, /--columns customer,id$/m);
});

test('a first line of which no name fits may be a row: names in their order come first, and none is guessed', () => {
  const said = refusal(() => match(['1', 'a']));
  assert.match(said.next, /^no name fits.*--columns id,customer(\n| |$)/);
  assert.doesNotMatch(said.details + said.next, /did you mean/);
  assert.doesNotMatch(refusal(() => match(['1', 'a'], { open: true })).next, /--columns/);
});

test('an omitted column that the file has, or that nobody has, is refused', () => {
  const mode = 'replace';
  assert.equal(
    refusal(() => match(['id', 'total', 'customer'], { mode, omit: ['total', 'note'] })).code,
    'column_twice',
  );
  assert.match(refusal(() => match(['id'], { mode, omit: ['note', 'totl'] })).next, /"total"/);
});

test('a generated column is refused, with --skip-columns as the way out', () => {
  const said = refusal(() => match(['id', 'sum'], { skip: [] }));
  assert.equal(said.code, 'generated_column');
  assert.match(said.next, /--skip-columns sum/);
});

test('flags that name a column wrongly are refused with the nearest one', () => {
  assert.match(refusal(() => match(['id', 'Kunde'], { map: { Kund: 'customer' } })).next, /"Kunde"/);
  assert.match(refusal(() => match(['id', 'Kunde'], { map: { Kunde: 'custmer' } })).next, /"customer"/);
  assert.match(refusal(() => match(['id', 'Kunde'], { skip: ['Kund'] })).next, /"Kunde"/);
  assert.match(refusal(() => match(['id'], { mode: 'merge', key: ['idd'] })).next, /id/);
});

test('merge and patch refuse a file without their key', () => {
  const said = refusal(() => match(['customer', 'note'], { mode: 'patch', key: ['id'] }));
  assert.equal(said.code, 'key_not_filled');
  assert.match(said.next, /column of the file|under another name/);
  assert.match(said.next, /\(--map\)/);
});

test('two columns for one of the table are refused', () => {
  assert.equal(refusal(() => match(['id', 'No'], { map: { No: 'id' } })).code, 'column_twice');
});

test('leaving out every column is refused', () => {
  assert.equal(refusal(() => match(['id'], { skip: ['id'], mode: 'patch', key: [] })).code, 'no_columns');
});

test('columns match by name, then by name in any case, and --map and --skip-columns come first', () => {
  const { columns, pairs } = match([' ID ', 'Kunde', 'TOTAL', 'x'], {
    map: { Kunde: 'customer' },
    skip: ['x'],
  });
  assert.deepEqual(columns, ['id', 'customer', 'total']);
  assert.deepEqual(
    [...pairs],
    [
      [' ID ', 'id'],
      ['Kunde', 'customer'],
      ['TOTAL', 'total'],
    ],
  );
});

test('case decides where the table has names that differ in case alone', () => {
  const table = { name: 't', columns: [column('Id'), column('ID'), column('id')] };
  assert.deepEqual(match(['ID', 'Id', 'id'], {}, table).columns, ['ID', 'Id', 'id']);
  assert.equal(refusal(() => match(['iD'], {}, table)).code, 'extra_columns');
  // With the others taken there is only one left to be meant.
  assert.deepEqual(match(['ID', 'Id', 'iD'], {}, table).columns, ['ID', 'Id', 'id']);
});

test('a name that every object has is a column like any other', () => {
  const table = { name: 't', columns: [column('id'), column('constructor')] };
  assert.deepEqual(match(['id', 'constructor'], {}, table).columns, ['id', 'constructor']);
  assert.equal(refusal(() => match(['id', 'toString'], {}, table)).code, 'extra_columns');
});
