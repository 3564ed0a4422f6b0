import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { copying } from '../support/copying.js';
import { inline, xlsxBytes } from '../support/xlsx.js';

const row = (number: number, ...cells: readonly string[]) => `<row r="${number}">${cells.join('')}</row>`;
const text = (value: string) => `<c t="inlineStr"><is><t>${value}</t></is></c>`;
const number = (value: string, style = 0) => `<c s="${style}"><v>${value}</v></c>`;

const ORDERS = [
  row(1, text('Id'), text('Day'), text('Total'), text('Paid'), text('Code')),
  row(
    2,
    number('1'),
    number('45351', 1),
    number('1.1000000000000001'),
    '<c t="b"><v>1</v></c>',
    text('0123'),
  ),
  row(3, number('2'), number('45352', 1), number('99'), '<c t="b"><v>0</v></c>', text('東京')),
].join('');

test('a sheet is copied into a table of the types that its values have', async (t) => {
  const copies = await copying(t);
  writeFileSync(
    join(copies.cwd, 'orders.xlsx'),
    xlsxBytes({ formats: [14], sheets: { Orders: ORDERS, Notes: inline(['note'], ['x']) } }),
  );
  const unsaid = await copies.copy('orders.xlsx', '--into', 'orders', '--create');
  assert.equal(unsaid.code, 2, unsaid.stderr);
  assert.match(unsaid.stderr, /has 2 sheets/);
  assert.match(unsaid.stderr, /--sheet Orders/);
  const ran = await copies.copy('orders.xlsx', '--sheet', 'orders', '--into', 'orders', '--create');
  assert.equal(ran.code, 0, ran.stderr);
  assert.deepEqual(await copies.typesOf('orders'), {
    id: 'integer',
    day: 'date',
    total: 'numeric',
    paid: 'boolean',
    code: 'text',
  });
  assert.deepEqual(await copies.rowsOf('orders'), ['(1,2024-02-29,1.1,t,0123)', '(2,2024-03-01,99,f,東京)']);
});

test('a cell with an error is a reject with its address, and is given back corrected', async (t) => {
  const copies = await copying(t, 'CREATE TABLE orders (id integer PRIMARY KEY, total numeric)');
  const sheet = [
    row(1, text('Report')),
    row(3, text('id'), text('total')),
    row(4, number('1'), number('10')),
    row(5, number('2'), '<c t="e"><v>#REF!</v></c>'),
  ].join('');
  writeFileSync(join(copies.cwd, 'export'), xlsxBytes({ sheets: { Sheet1: sheet } }));
  const ran = await copies.copy(...['export', '--into', 'orders', '--skip-lines', '2', '--max-rejects', '1']);
  assert.equal(ran.code, 4, ran.stderr);
  const [batch] = await copies.database.query<{ id: string }>('SELECT id FROM sluice.migration_batch');
  const shown = await copies.command('rejects', batch?.id as string);
  assert.match(shown.stdout, /Sheet1!B5 holds the error #REF!/);
  const { stdout } = await copies.command('rejects', batch?.id as string, '--format', 'csv');
  writeFileSync(
    join(copies.cwd, 'fixed.csv'),
    stdout.replace('#REF!,', '20,').replace(/#REF!(?=\r?\n)/, '20'),
  );
  const again = await copies.copy('fixed.csv', '--into', 'orders', '--only-rejects-of', batch?.id as string);
  assert.equal(again.code, 0, again.stderr + stdout);
  assert.deepEqual(await copies.rowsOf('orders'), ['(1,10)', '(2,20)']);
});

test('lines before the header of a CSV file are left out, too', async (t) => {
  const copies = await copying(t, 'CREATE TABLE orders (id integer, total numeric)');
  writeFileSync(join(copies.cwd, 'a.csv'), 'Report;of 2026\n\nid;total\n1;2\n');
  const ran = await copies.copy('a.csv', '--into', 'orders', '--skip-lines', '2', '--delimiter', ';');
  assert.equal(ran.code, 0, ran.stderr);
  assert.deepEqual(await copies.rowsOf('orders'), ['(1,2)']);
  const json = await copies.copy('-', '--format', 'jsonl', '--into', 'orders', '--skip-lines', '2');
  assert.match(json.stderr, /skipLines does not apply to jsonl/);
});
