import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import type { Guard } from '../../../../sinks/load/column-checks/column-check.js';
import { guardFor } from '../../../../sinks/load/column-checks/index.js';
import { readColumns } from '../../../../src/db/catalog/columns.js';
import { ident } from '../../../../src/db/quote.js';
import { type TestDatabase, testDatabase } from '../../../support/database.js';
import { accepted, makeTypes, types, wellFormed } from './values.js';

/** Values per type that the server is asked about; SLUICE_TEST_RUNS multiplies them for a long look. */
const VALUES = 600 * Number(process.env.SLUICE_TEST_RUNS ?? 1);

/** Dates that start otherwise are refused on purpose, whatever the server's DateStyle makes of them. */
const YEAR_FIRST = /^[ \t\n\v\f\r]*(\d{4}|-?infinity)/i;

const guards = new Map<string, Guard>();
let database: TestDatabase;

function accepts(guard: Guard, text: string): boolean {
  const bytes = Buffer.from(`\u0001${text}\u0001`);
  const quick = guard.quick?.(bytes, 1, bytes.length - 1) ?? false;
  const thorough = guard.accepts(text);
  assert.ok(
    thorough || !quick,
    `the quick look accepts ${JSON.stringify(text)} and the thorough one does not`,
  );
  return thorough;
}

test('guards against the server', async (t) => {
  database = await testDatabase(t);
  await makeTypes(database);
  for (const type of Object.keys(types)) {
    await database.query(`CREATE TABLE ${ident(`of ${type}`)} (v ${type})`);
    const [column] = await readColumns(database, 'public', `of ${type}`);
    guards.set(type, guardFor(column as never) as Guard);
  }

  for (const [type, values] of Object.entries(types)) {
    await t.test(`whatever ${type} takes, its guard takes`, async () => {
      const guard = guards.get(type) as Guard;
      const seed = process.env.SLUICE_TEST_RUNS === undefined ? 7 : undefined;
      const sample = fc
        .sample(values, { numRuns: VALUES, ...(seed === undefined ? {} : { seed }) })
        .filter(wellFormed);
      const isDate = /^(date|timestamp)/.test(type);
      const verdicts = await accepted(database, `of ${type}`, sample);
      assert.ok(verdicts.includes(true) && verdicts.includes(false), 'the sample has good and bad values');
      let caught = 0;
      for (const [i, text] of sample.entries()) {
        const ours = accepts(guard, text);
        if (verdicts[i] === true && (!isDate || YEAR_FIRST.test(text))) {
          assert.ok(ours, `${type} takes ${JSON.stringify(text)} and the guard does not`);
        }
        if (!ours) caught++;
      }
      assert.ok(caught > 0, 'the guard refuses something');
    });
  }

  await t.test('a key twice is refused where the server would keep one of the values', async () => {
    const text = '[{"a":1,"b":{"c":":","\\u0063":2}}]';
    const guard = guards.get('jsonb') as Guard;
    assert.deepEqual([accepts(guard, text), guard.reason(text)], [false, 'duplicate_key']);
    assert.equal(accepts(guards.get('json') as Guard, text), true);
    assert.equal(accepts(guard, '[{"a":":","b":{"a":[{"a":"\\":"}]}}]'), true);
  });

  await t.test('the bad values that files are full of are refused, each for its reason', async () => {
    const wrong: [string, string, string][] = [
      ['smallint', '32768', 'out_of_range'],
      ['integer', '-2147483649', 'out_of_range'],
      ['integer', '12.5', 'not_an_integer'],
      ['integer', '1,000', 'not_an_integer'],
      ['integer', '', 'not_an_integer'],
      ['bigint', '9223372036854775808', 'out_of_range'],
      ['bigint', '9'.repeat(5000), 'out_of_range'],
      ['numeric(5,2)', '1000', 'out_of_range'],
      ['numeric(5,2)', '999.995', 'out_of_range'],
      ['numeric(5,2)', '12,50', 'not_a_number'],
      ['numeric(5,2)', '€ 5', 'not_a_number'],
      ['real', '1e39', 'out_of_range'],
      ['double precision', '1e309', 'out_of_range'],
      ['double precision', 'n/a', 'not_a_number'],
      ['boolean', 'maybe', 'not_a_boolean'],
      ['date', '2024-02-30', 'not_a_date'],
      ['date', '2023-02-29', 'not_a_date'],
      ['date', '0000-00-00', 'not_a_date'],
      ['timestamp', '2024-01-01 25:00:00', 'not_a_timestamp'],
      ['timestamptz', '2024-13-01T00:00:00Z', 'not_a_timestamp'],
      ['time', '12:60', 'not_a_time'],
      ['time', 'noon', 'not_a_time'],
      ['interval', 'soon', 'not_an_interval'],
      ['uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1', 'not_a_uuid'],
      ['json', "{'a': 1}", 'not_json'],
      ['jsonb', '"\\u0000"', 'nul_byte'],
      ['varchar(3)', 'abcd', 'too_long'],
      ['char(3)', 'abcd', 'too_long'],
      ['short_code', 'abcd', 'too_long'],
      ['mood', 'Sad', 'not_a_label'],
      ['bytea', '\\xzz', 'not_bytes'],
      ['integer[]', '1,2', 'not_an_array'],
      ['positive', 'x', 'not_an_integer'],
    ];
    for (const [type, text, reason] of wrong) {
      const guard = guards.get(type) as Guard;
      assert.equal(accepts(guard, text), false, `${type} ${text}`);
      assert.equal(guard.reason(text), reason, `${type} ${text}`);
      assert.deepEqual(
        await accepted(database, `of ${type}`, [text]),
        [false],
        `the server refuses ${text} as ${type}, too`,
      );
    }
    assert.equal((guards.get('integer') as Guard).expected, 'integer from -2147483648 to 2147483647');
    assert.equal((guards.get('mood') as Guard).expected, "one of 'sad', 'ok', 'it's', 'happy\\'");
  });

  await t.test('a date whose meaning depends on DateStyle or on today is refused on purpose', async () => {
    for (const text of ['25/12/2024', '01/02/2024', '01-02-03', '12-Jan-2024', 'today', 'now', 'tomorrow']) {
      for (const type of ['date', 'timestamp', 'timestamptz']) {
        assert.equal(accepts(guards.get(type) as Guard, text), false, `${type} ${text}`);
      }
    }
    assert.match((guards.get('date') as Guard).expected, /YYYY-MM-DD.*date transform/);
    assert.deepEqual(await accepted(database, 'of date', ['01/02/2024', 'today']), [true, true]);
  });
});

before(() => assert.ok(process.env.SLUICE_TEST_URL, 'SLUICE_TEST_URL is set'));
