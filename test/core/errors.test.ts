import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitCode, told } from '../../src/cli/show/failure.js';
import { failed, interrupted, refused, usage } from '../../src/core/errors/author.js';
import { nearest } from '../../src/core/errors/nearest.js';

test('an error keeps what its first witness said, and learns the rest', () => {
  const error = failed('bad_value', 'no number', { line: 3, column: 'id' });
  const known = error.with({ line: 99, input: 'old.csv' });
  assert.deepEqual(known.facts, { line: 3, column: 'id', input: 'old.csv' });
  assert.deepEqual([known.kind, known.code, known.message], ['failed', 'bad_value', 'no number']);
  assert.equal(known.stack, error.stack);
});

test('every kind of error has the exit code that the documentation promises', () => {
  assert.equal(exitCode(failed('x', 'x')), 1);
  assert.equal(exitCode(usage('x', 'x')), 2);
  assert.equal(exitCode(refused('x', 'x')), 3);
  assert.equal(exitCode(interrupted()), 130);
  assert.equal(exitCode(new TypeError('a fault')), 1);
  assert.equal(exitCode('thrown text'), 1);
});

test('an error says what happened, where, the offenders, the state, and what to do next', () => {
  const error = refused('x', 'a row was rejected', {
    input: 'old.csv',
    line: 12,
    column: 'lot_number',
    value: 'LOT 914',
    details: ['LOT 914', 'LOT 915'],
    state: 'nothing was published',
    next: ['sluice rejects 4', 'correct the rows'],
  });
  assert.deepEqual(
    told(error).map((line) => line.replace(/ +/g, ' ')),
    [
      'sluice: a row was rejected',
      ' where: old.csv, line 12, column lot_number, value "LOT 914"',
      ' LOT 914',
      ' LOT 915',
      ' state: nothing was published',
      ' next: sluice rejects 4',
      ' correct the rows',
    ],
  );
});

test('a fault that is no SluiceError keeps its stack and is called unexpected', () => {
  const lines = told(new TypeError('x is not a function'));
  assert.match(lines.join('\n'), /unexpected error: TypeError: x is not a function\n +at /);
  const [first = ''] = told(new TypeError('x\n  next:  rm'));
  assert.match(first, /TypeError: x/);
});

test('the nearest name is found within a third of mistypes, and nothing is guessed beyond it', () => {
  assert.equal(nearest('lot-consolidaton', ['lot-consolidation', 'copy']), 'lot-consolidation');
  assert.equal(nearest('SERIALS', ['lots', 'serials']), 'serials');
  assert.equal(nearest('xyz', ['lots', 'serials']), undefined);
  assert.equal(nearest('a', []), undefined);
  assert.equal(nearest('a', ['v', '1']), undefined, 'of a single letter nothing is left');
});
