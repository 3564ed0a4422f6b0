import assert from 'node:assert/strict';
import { test } from 'node:test';
import { visible } from '../../src/core/visible.js';

test('what a terminal acts on, breaks a line or turns its direction is shown as an escape', () => {
  assert.equal(visible('\u001b[2J\u009b1m'), '\\u001b[2J\\u009b1m');
  assert.equal(
    visible('a\n  next:  rm\r\t\u0085\u2028b\u0000'),
    'a\\n  next:  rm\\r\\t\\u0085\\u2028b\\u0000',
  );
  assert.equal(
    visible('\u202egnp.exe\u2066\u061c\u200f\ufeff'),
    '\\u202egnp.exe\\u2066\\u061c\\u200f\\ufeff',
  );
  assert.equal(visible('\ud800 \u{e0041}'), '\\ud800 \\udb40\\udc41');
});

test('text of any script is as it was, joined emoji too', () => {
  const text = 'Zürich 東京 می\u200cخواهم 👩\u200d👩\u200d👧 – „ok“';
  assert.equal(visible(text), text);
});

test('a line of JSON stays the same value', () => {
  const value = { a: '\u001b[31m\n\u202e\u{e0041}\u007f', b: ['\u2028'] };
  assert.deepEqual(JSON.parse(visible(JSON.stringify(value))), value);
});
