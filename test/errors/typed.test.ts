import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure, misuse, topic } from '../../src/core/errors/catalogue/entry.js';
import { ledgerErrors } from '../../src/core/errors/catalogue/ledger.js';
import { AS_THE_COMMAND_ENDS } from '../../src/core/errors/catalogue/state.js';
import { isError } from '../../src/core/errors/is-error.js';
import { SluiceError } from '../../src/core/errors/sluice-error.js';

test('an error is made of the parameters of its sentence, and the compiler refuses others', () => {
  const error = ledgerErrors.no_such_batch.unknown({ id: '7' });
  assert.ok(error instanceof SluiceError);
  assert.deepEqual(
    [error.kind, error.code, error.message],
    ['usage', 'no_such_batch', 'there is no batch 7 in this database'],
  );
  // @ts-expect-error no such parameter
  ledgerErrors.no_such_batch.unknown({ batch: '7' });
  // @ts-expect-error parameters are needed
  assert.throws(() => ledgerErrors.no_such_batch.unknown());
  // @ts-expect-error no such code
  assert.equal(ledgerErrors.no_such_bach, undefined);
});

test('what the place that throws knows counts before what the entry says, and what it does not know is left out', () => {
  const errors = topic({
    cut: failure(({ line }: { line: number }) => ({ says: 'cut', line, state: AS_THE_COMMAND_ENDS })),
  });
  assert.deepEqual(errors.cut({ line: 1 }).facts, { line: 1 });
  assert.deepEqual(errors.cut({ line: 1 }, { line: 2, column: undefined }).facts, { line: 2 });
  const cause = new Error('why');
  assert.equal(errors.cut({ line: 1 }, { cause }).cause, cause);
});

test('what broke needs a state, or why it has none', () => {
  // @ts-expect-error no state
  assert.ok(failure(() => ({ says: 'it broke' })));
  assert.ok(misuse(() => ({ says: 'it is wrong' })));
});

test('an error is asked for by a code of the catalogue, which the compiler knows', () => {
  const error: unknown = ledgerErrors.no_ledger();
  assert.ok(isError(error, 'ledger', 'no_ledger'));
  assert.equal(isError(error, 'ledger'), false);
  assert.equal(isError(new Error('no_ledger'), 'no_ledger'), false);
  // @ts-expect-error no such code
  assert.equal(isError(error, 'no_leger'), false);
});
