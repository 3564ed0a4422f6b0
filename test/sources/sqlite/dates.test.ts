import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { query } from '../../../src/sources/postgres/index.js';
import { type SqliteOptions, sqlite } from '../../../src/sources/sqlite/index.js';
import { rowsOf, testRun } from '../../support/run.js';
import { sqliteFile } from '../../support/sqlite.js';

type Test = Parameters<typeof sqliteFile>[0];

/** A table with a column of dates for each name, and the rows of it as they are read, and what is said of them. */
async function dates(
  t: Test,
  columns: Readonly<Record<string, readonly string[]>>,
  options: Partial<SqliteOptions> = {},
) {
  const names = Object.keys(columns);
  const rows = (columns[names[0] as string] as readonly string[]).map(
    (_, row) => `(${names.map((name) => columns[name]?.[row] ?? 'NULL').join(', ')})`,
  );
  const path = sqliteFile(
    t,
    `CREATE TABLE e (${names.map((name) => `${name} DATETIME`).join(', ')}); INSERT INTO e VALUES ${rows.join(', ')}`,
  );
  const run = testRun();
  const source = sqlite(path, { table: 'e', ...options });
  try {
    const said = await source.check?.(run);
    const read = await rowsOf(source, run);
    return { said, read: Object.fromEntries(names.map((name) => [name, read.map((row) => row[name])])) };
  } finally {
    await run.end();
  }
}

test('the unit of a column is told by all of its values, and said', async (t) => {
  const { said, read } = await dates(t, {
    s: ['1706933106', 'NULL', '1234567890', '0'],
    ms: ['1706933106000', 'NULL', '1234567890000', '0'],
    us: ['1706933106000000', 'NULL', '1234567890000000', '0'],
    ns: ['1706933106000000000', 'NULL', '1234567890000000000', '0'],
    jd: ['2460343.670208333', 'NULL', '2454876.4802083336', '2440587.5'],
    real: ['1706933106.25', "'2024-02-03 04:05:06'", '-500000000', '0'],
    text: ["'2024-02-03 04:05:06'", 'NULL', 'NULL', "'soon'"],
  });
  const wanted = ['2024-02-03 04:05:06+00', null, '2009-02-13 23:31:30+00', '1970-01-01 00:00:00+00'];
  for (const name of ['s', 'ms', 'us', 'ns', 'jd']) assert.deepEqual(read[name], wanted, name);
  assert.deepEqual(read.real, [
    '2024-02-03 04:05:06.25+00',
    '2024-02-03 04:05:06+00',
    '1954-02-26 23:06:40+00',
    '1970-01-01 00:00:00+00',
  ]);
  assert.deepEqual(read.text, ['2024-02-03 04:05:06+00', null, null, 'soon']);
  assert.deepEqual(said, [
    's holds seconds since 1970, up to 2024-02-03 04:05:06+00',
    'ms holds milliseconds since 1970, up to 2024-02-03 04:05:06+00',
    'us holds microseconds since 1970, up to 2024-02-03 04:05:06+00',
    'ns holds nanoseconds since 1970, up to 2024-02-03 04:05:06+00',
    'jd holds Julian days, up to 2024-02-03 04:05:06+00',
    'real holds seconds since 1970, up to 2024-02-03 04:05:06.25+00',
  ]);
});

test('a column of more than one unit is refused, with its rows and the way to say it', async (t) => {
  await assert.rejects(
    dates(t, { at: ['1706933106', '1706933106123', '1706933107'] }),
    (error: SluiceError) => {
      assert.equal(error.code, 'unclear_dates', String(error));
      assert.equal(error.kind, 'refused');
      assert.match(error.message, /the numbers in column at are not dates of one unit/);
      assert.deepEqual(error.facts.details, [
        '2 are of the size of seconds since 1970: row 1: 1706933106, row 3: 1706933107',
        '1 is of the size of milliseconds since 1970: row 2: 1706933106123',
      ]);
      assert.match(String(error.facts.next), /dates: \{ at: 'milliseconds' \}/);
      return true;
    },
  );
});

test('numbers that are dates of no unit are refused: small ones, calendar digits, zeros, dates long past', async (t) => {
  const wrong = {
    small: ['1', '2024', '20240203', '4'],
    hours: ['2024020304'],
    minutes: ['202402030405'],
    seconds: ['20240203040506'],
    zeros: ['0', '-1'],
    noons: ['2460343'],
    // Seconds since 2001, as Apple counts them, would be 1994.
    apple: ['760000000.5'],
    huge: ['9e99'],
    digits: ["'20240203'"],
  };
  await assert.rejects(dates(t, { ...wrong, right: ['1706933106'] }), (error: SluiceError) => {
    assert.equal(error.code, 'unclear_dates', String(error));
    assert.match(
      error.message,
      /columns small, hours, minutes, seconds, zeros, noons, apple, huge, digits are/,
    );
    assert.deepEqual(error.facts.details?.slice(0, 2), [
      'small:',
      '  3 are of no size that a date has: row 2: 2024, row 3: 20240203, row 4: 4',
    ]);
    return true;
  });
});

test('what the author says is believed, of a column of any type, and only what is left is asked', async (t) => {
  const mixed = { at: ['1706933106', '1706933106123'] };
  assert.deepEqual(await dates(t, mixed, { dates: { at: 'milliseconds' } }), {
    said: [],
    read: { at: ['1970-01-20 18:08:53.106+00', '2024-02-03 04:05:06.123+00'] },
  });
  assert.deepEqual((await dates(t, mixed, { dates: { at: 'text' } })).read, mixed);
  assert.deepEqual((await dates(t, mixed, { asStored: true })).read, mixed);
  const path = sqliteFile(
    t,
    "CREATE TABLE e (at INTEGER, t TEXT); INSERT INTO e VALUES (86400, '1706933106')",
  );
  const run = testRun();
  const source = query('SELECT', {
    sqlite: { table: 'e', dates: { at: 'seconds' }, types: { t: 'datetime' } },
  }).fromSqlite?.(path);
  assert.deepEqual(source && (await rowsOf(source, run)), [
    { at: '1970-01-02 00:00:00+00', t: '2024-02-03 04:05:06+00' },
  ]);
  await run.end();
});

test('a unit that there is not, and a column that there is not, are refused', async (t) => {
  assert.throws(
    () => sqlite('a.db', { table: 'e', dates: { at: 'days' as never } }),
    /dates of at cannot be "days"/,
  );
  await assert.rejects(dates(t, { at: ['1'] }, { dates: { att: 'seconds' } }), /no column "att"/);
});
