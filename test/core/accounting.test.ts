import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  breaches,
  type FlowAccount,
  StageCounter,
  tally,
  tallyAll,
  totals,
  unaccounted,
} from '../../src/core/accounting.js';

type Given = Partial<Record<'rejected' | 'skipped' | 'merged' | 'added' | 'kept', Record<string, number>>> & {
  readonly in: number;
  readonly out: number;
  readonly branch?: string;
  readonly readToEnd?: boolean;
};

function stage(name: string, given: Given) {
  const counter = new StageCounter(name, given.branch ?? '');
  counter.in = given.in;
  counter.out = given.out;
  counter.readToEnd = given.readToEnd ?? true;
  for (const table of ['rejected', 'skipped', 'merged', 'added', 'kept'] as const)
    for (const [reason, rows] of Object.entries(given[table] ?? {})) tally(counter[table], reason, rows);
  return counter.account();
}

const flow = (...stages: FlowAccount['stages']): FlowAccount => ({ source: 'old.csv', stages, sinks: [] });

test('rows that vanish without a reason are a breach that names the stage and the source', () => {
  assert.deepEqual(breaches([flow(stage('trim', { in: 10, out: 7, skipped: { empty: 1 } }))]), [
    'stage "trim" took in 10 rows of old.csv and lost 2 without a reason',
  ]);
});

test('rows that come from nowhere are a breach', () => {
  assert.deepEqual(breaches([flow(stage('split', { in: 2, out: 5, added: { parts: 1 } }))]), [
    'stage "split" passed on 2 rows of old.csv more than it took in, without a reason',
  ]);
});

test('of the stages that did not read to their end, the one that stopped is named, not those before it', () => {
  const found = breaches([
    flow(
      stage('read old.csv', { in: 2048, out: 2048, readToEnd: false }),
      stage('first ten', { in: 2048, out: 10, skipped: { rest: 2038 }, readToEnd: false }),
      stage('into lots', { in: 10, out: 10 }),
    ),
  ]);
  assert.deepEqual(found, ['stage "first ten" stopped reading old.csv before its end, after 2048 rows']);
});

test('a sink that holds other than it was handed is a breach; one that nobody has counted is none', () => {
  const accounts: FlowAccount = {
    source: 'old.csv',
    stages: [],
    sinks: [
      { sink: 'lots', handed: 5, counted: 4 },
      { sink: 'serials', handed: 5, counted: null },
    ],
  };
  assert.deepEqual(breaches([accounts]), ['lots was handed 5 rows and holds 4']);
});

test('rejected, skipped, merged and added rows balance the accounts', () => {
  const account = stage('all', {
    in: 10,
    out: 5,
    added: { parts: 2 },
    rejected: { bad: 3 },
    skipped: { old: 2 },
    merged: { twins: 2 },
    kept: { same: 4 },
  });
  assert.equal(unaccounted(account), 0);
  assert.deepEqual(breaches([flow(account)]), []);
});

test('the totals count rejects everywhere, and rows left out or as they were only before a fork', () => {
  const accounts = flow(
    stage('read old.csv', { in: 12, out: 10, rejected: { broken_line: 2 } }),
    stage('filter', { in: 10, out: 8, skipped: { closed: 2 }, kept: { already_new: 3 } }),
    stage('one per LOT', { in: 8, out: 3, skipped: { not_first: 5 }, branch: '1' }),
    stage('into lots', { in: 3, out: 2, rejected: { not_an_integer: 1 }, branch: '1' }),
  );
  assert.deepEqual(totals([accounts, accounts]), {
    read: 24,
    rejected: 6,
    skipped: 10,
    rejectReasons: { broken_line: 4, not_an_integer: 2 },
    skipReasons: { closed: 4, already_new: 6 },
    left: 0,
  });
});

test('a reason may be called like a property that every object has', () => {
  const account = stage('odd', { in: 1, out: 0, rejected: { constructor: 1 } });
  assert.equal(unaccounted(account), 0);
  assert.equal(totals([flow(account)]).rejected, 1);
});

test('tables of reasons are added up, whatever a reason is called', () => {
  assert.deepEqual(tallyAll({}, { duplicate: 2, constructor: 1 }, {}, { duplicate: 3, constructor: 4 }), {
    duplicate: 5,
    constructor: 5,
  });
});
