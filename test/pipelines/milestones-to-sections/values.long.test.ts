import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Milestone, nameSections } from '../../../pipelines/milestones-to-sections/sections.js';
import { boolean, moment, timestamp } from '../../../pipelines/milestones-to-sections/values.js';
import { RowError } from '../../../transforms/failure.js';

const reason = (expected: string) => (error: unknown) =>
  error instanceof RowError && error.rejection.reason === expected;

test('moments of both databases become the text of a timestamp in UTC', () => {
  const cases: Readonly<Record<string, string>> = {
    '2025-06-01 12:30:00': '2025-06-01 12:30:00',
    '2025-06-01 12:30:00.5': '2025-06-01 12:30:00.5',
    '2025-06-01 12:30:00.123+00': '2025-06-01 12:30:00.123',
    '2025-06-01T12:30:00.120000Z': '2025-06-01 12:30:00.120',
    '2025-06-01T01:30:00+02:00': '2025-05-31 23:30:00.000',
    '2025-06-01T12:30:00-0530': '2025-06-01 18:00:00.000',
    '2024-02-29': '2024-02-29 00:00:00.000',
    '1748736000000': '2025-06-01 00:00:00.000',
    '-5000000000': '1969-11-04 03:06:40.000',
    '0': '1970-01-01 00:00:00.000',
    '-1': '1969-12-31 23:59:59.999',
  };
  for (const [from, to] of Object.entries(cases)) assert.equal(timestamp(from, 'c'), to, from);
  assert.equal(timestamp(null, 'c'), null);
});

test('what is no moment to the millisecond is a reject, and never another moment', () => {
  for (const wrong of [
    'end of June',
    '',
    '2025-02-30 00:00:00',
    '2025-13-01 00:00:00',
    '2025-06-00 00:00:00',
    '2025-06-01 12:30:00.1234',
    '2025-06-01T25:00:00Z',
    '999999999999999',
    '1748736000',
    '-1000',
    '01.06.2025',
  ])
    assert.throws(() => timestamp(wrong, 'c'), reason('invalid_date'), wrong);
  assert.throws(() => moment(null, 'c'), reason('missing_field'));
  assert.throws(() => boolean('2', 'c'), reason('invalid_boolean'));
});

const milestone = (id: string, sequence: string, name: string, code: string | null = null): Milestone => ({
  ...{ id, sequence, name, code, taskTypeId: 't', description: null, createdAt: '', updatedAt: '' },
  has_tasks: id,
});

test('names are told apart in the same way whatever the order of the input', () => {
  const rows = [
    milestone('b', '1', 'X'),
    milestone('a', '1', 'X'),
    milestone('c', '10', 'X'),
    milestone('d', '9', 'X'),
    milestone('e', '2', 'X (2)'),
    milestone('f', '3', 'PA2', 'PA2'),
    milestone('g', '4', 'First Article'),
    milestone('h', '5', 'constructor', 'constructor'),
  ];
  const names = (of: readonly Milestone[]) =>
    Object.fromEntries(nameSections(of).map(({ id, section }) => [id, section]));
  const expected = {
    ...{ a: 'X', b: 'X (3)', d: 'X (4)', c: 'X (5)', e: 'X (2)' },
    ...{ f: 'First Article', g: 'First Article (2)', h: 'constructor' },
  };
  assert.deepEqual(names(rows), expected);
  assert.deepEqual(names([...rows].reverse()), expected);
});
