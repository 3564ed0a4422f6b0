import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { copyCommand, parseList } from '../../src/copy/request.js';
import { formatList } from '../../src/core/list.js';
import { type Begun, isCommand, reload, rerun } from '../../src/run/given/next-command.js';

test('a list with an empty name, a name twice or an open quote is refused', () => {
  for (const text of ['', 'a,,b', 'a,b,', 'a,a', '"a', 'a\nb'])
    assert.throws(() => parseList('--columns', text), { code: 'bad_list' }, JSON.stringify(text));
});

test('a list holds names with commas, quotes and blanks in quotes', () => {
  assert.deepEqual(parseList('--columns', 'a, b ,"c,d","e""f"," g "'), ['a', 'b', 'c,d', 'e"f', ' g ']);
  const names = ['a', 'c,d', 'e"f', ' g ', 'ü'];
  assert.deepEqual(parseList('--columns', formatList(names)), names);
});

test('the command that the ledger keeps is the one that was typed, quoted for a shell', () => {
  const command = copyCommand({
    files: ["o'brien.csv", '-'],
    into: 'shop.Order Lines',
    mode: 'merge',
    key: ['id', 'a,b'],
    map: { 'Order No': 'order_no' },
    delimiter: '\t',
    null: '',
    quote: false,
    create: true,
  });
  const words = execFileSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' })
    .trimEnd()
    .split('\n');
  assert.deepEqual(words, [
    'copy',
    "o'brien.csv",
    '-',
    '--into',
    'shop.Order Lines',
    '--mode',
    'merge',
    '--key',
    'id,"a,b"',
    '--map',
    'Order No=order_no',
    '--delimiter',
    'tab',
    '--null',
    '',
    '--quote',
    'none',
    '--create',
  ]);
});

test('a batch is done again by its command, or by its pipeline', () => {
  const begun = (pipeline_from: string): Begun => ({
    pipeline_from,
    manifest: null,
    settings: {},
    options: {},
  });
  assert.ok(isCommand('copy a.csv --into t'));
  assert.equal(String(rerun(begun('copy a.csv --into t'))), 'sluice copy a.csv --into t');
  assert.equal(String(reload(begun('copy a.csv --into t'))), 'sluice copy a.csv --into t --no-swap');
  assert.equal(String(reload(begun('lot-consolidation'))), 'sluice load lot-consolidation');
});
