import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorAsData, errorFromData } from '../../../src/core/errors/as-data.js';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { again, command, Suggestion } from '../../../src/core/next.js';

/** `error` on the other side of a thread. */
const crossed = (error: unknown): unknown => errorFromData(structuredClone(errorAsData(error)));

test('an error of ours crosses with its code, kind, facts, steps and causes', () => {
  const cause = Object.assign(new TypeError('no such thing'), { code: 'EX', at: 3, held: { not: 'told' } });
  const error = new SluiceError('refused', 'stage_failed', 'it failed', {
    line: 7,
    value: { deep: [1n] },
    details: ['one'],
    next: ['look', command('status', ['12']), again({ flags: { jobs: '1' } }, { lead: 'or' })],
    cause,
  });
  const other = crossed(error);
  assert.ok(other instanceof SluiceError);
  assert.deepEqual(
    [other.code, other.kind, other.message, other.stack],
    [error.code, error.kind, error.message, error.stack],
  );
  assert.deepEqual([other.facts.line, other.facts.value, other.facts.details], [7, '{"deep":[1]}', ['one']]);
  const steps = [other.facts.next ?? []].flat();
  assert.deepEqual(steps.map(String), [error.facts.next ?? []].flat().map(String));
  assert.ok(steps[1] instanceof Suggestion);
  const because = other.facts.cause as TypeError & { code: string; at: number; held?: unknown };
  assert.ok(because instanceof TypeError && other.cause === because);
  assert.deepEqual(
    [because.code, because.at, because.held, because.stack],
    ['EX', 3, undefined, cause.stack],
  );
});

test('other errors cross with their names, and whatever else is thrown as it is', () => {
  class Odd extends Error {
    override name = 'Odd';
  }
  const odd = crossed(new Odd('odd', { cause: 'text' })) as Error;
  assert.deepEqual([odd.name, odd.message, odd.cause], ['Odd', 'odd', 'text']);
  const both = crossed(new AggregateError([new Error('a'), new RangeError('b')], 'both')) as AggregateError;
  assert.ok(both instanceof AggregateError && both.errors[1] instanceof RangeError);
  assert.equal(crossed('a text'), 'a text');
  assert.equal(crossed(undefined), undefined);
  const { message } = crossed(new Error('f', { cause: () => 1 })) as Error;
  assert.equal(message, 'f');
  // What is its own cause ends somewhere.
  const round = new Error('round');
  round.cause = round;
  assert.equal((crossed(round) as Error).message, 'round');
});
