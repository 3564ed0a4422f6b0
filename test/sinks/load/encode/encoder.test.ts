import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CopyBuffer } from '../../../../sinks/load/encode/copy-buffer.js';
import { copyEncoder } from '../../../../sinks/load/encode/encoder.js';
import { stagedTable } from '../../../../sinks/load/staged-table.js';
import { parseJson } from '../../../../src/core/json/parse.js';
import type { Row } from '../../../../src/core/row.js';
import type { Rejection } from '../../../../src/core/run.js';
import { type ColumnFacts, readColumns } from '../../../../src/db/catalog/columns.js';
import { column } from '../../../support/column.js';
import { testDatabase } from '../../../support/database.js';
import { sinkRun } from '../../../support/sink-run.js';

function encode(columns: readonly ColumnFacts[], rows: readonly Row[], capacity = 16) {
  const out = new CopyBuffer(capacity);
  const rejects: Rejection[] = [];
  const count = copyEncoder(columns).encode(rows, out, (_, why) => rejects.push(why));
  return { text: out.view().toString(), rejects, count, out };
}

test('a bad value costs its row and leaves the others as they are', () => {
  const { text, rejects, count } = encode(
    [column('id', 'int4'), column('note')],
    [
      { id: '1', note: 'a' },
      { id: 'x', note: 'b' },
      { id: '2', note: 'nul\0' },
      { id: '3', note: '\ud800' },
      { id: '4', note: 'x\udc00x' },
      { id: '5', note: null },
    ],
  );
  assert.equal(text, '1\ta\n5\t\\N\n');
  assert.equal(count, 2);
  assert.deepEqual(
    rejects.map((why) => [why.reason, why.column]),
    [
      ['not_an_integer', 'id'],
      ['nul_byte', 'note'],
      ['lone_surrogate', 'note'],
      ['lone_surrogate', 'note'],
    ],
  );
});

test('a value of a type that the column cannot take is a reject', () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const wrong: [string, unknown, string][] = [
    ['int4', 1.5, 'not_an_integer'],
    ['int4', Number.NaN, 'not_an_integer'],
    ['int4', 2 ** 31, 'out_of_range'],
    ['int8', 2n ** 63n, 'out_of_range'],
    ['text', {}, 'wrong_type'],
    ['text', Symbol('s'), 'wrong_type'],
    ['text', Buffer.from('x'), 'wrong_type'],
    ['int4', [1], 'wrong_type'],
    ['timestamp', new Date(Number.NaN), 'invalid_date'],
    ['json', circle, 'not_json'],
    ['json', Number.NaN, 'not_json'],
    ['json', () => {}, 'not_json'],
    ['jsonb', { text: 'nul \0' }, 'nul_byte'],
  ];
  for (const [base, value, reason] of wrong) {
    const { rejects, text } = encode([column('c', base)], [{ c: value }]);
    assert.deepEqual([rejects[0]?.reason, text], [reason, ''], `${base} ${reason}`);
  }
});

test('a reject shows at most 200 characters of its value', () => {
  const { rejects } = encode([column('c', 'int4')], [{ c: '😀'.repeat(1000) }]);
  const shown = String(rejects[0]?.value);
  assert.ok(shown.length <= 200 && shown.endsWith('😀…'), shown);
});

test('a column name cannot become code', () => {
  const name = `"]; throw new Error('run'); //\u2028\n\\`;
  assert.equal(
    encode([column(name), column('__proto__')], [{ [name]: 'x', ['__proto__']: 'p' }]).text,
    'x\tp\n',
  );
});

test('sixteen hundred columns are encoded like ten', () => {
  const names = Array.from({ length: 1600 }, (_, i) => `c${i}`);
  const row = Object.fromEntries(names.map((name, i) => [name, String(i)]));
  const { text } = encode(
    names.map((name) => column(name)),
    [row, row],
  );
  assert.equal(text, `${names.map((_, i) => i).join('\t')}\n`.repeat(2));
});

test('the server reads back every value as it was', async (t) => {
  const database = await testDatabase(t);
  await database.query(`CREATE TABLE staged (n int, t text, d date, ts timestamp, tz timestamptz, b bytea, j json,
    jb jsonb, ia int[], ta text[], o bool, f float8, i8 int8, nu numeric, ja jsonb[], ba bytea[], tt timestamptz[])`);
  const run = sinkRun(t, database);
  const staging = await stagedTable({
    schema: 'public',
    table: 'staged',
    liveName: 'live',
    columns: await readColumns(database, 'public', 'staged'),
    connect: () => database.connect(),
  }).open(run);
  const moment = new Date('2024-02-29T23:59:59.123Z');
  const ancient = new Date(moment);
  ancient.setUTCFullYear(-44);
  const future = new Date(moment);
  future.setUTCFullYear(12024);
  await staging.write([
    {
      n: 1,
      t: 'tab\t newline\n return\r back\\slash \\N é 😀 \u0001',
      d: moment,
      ts: moment,
      tz: moment,
      b: Buffer.from([0, 255, 92]),
      j: { a: '\n', b: [1, null] },
      jb: [1, 'x'],
      ia: [
        [1, null],
        [-3, 4],
      ],
      ta: ['a"b\\c', '', 'NULL', null, '{}', 'é,'],
      o: true,
      f: Number.POSITIVE_INFINITY,
      i8: -(2n ** 63n),
      nu: 1e21,
      ja: [{ a: '"' }, [1]],
      ba: [Buffer.from([1])],
      tt: [moment],
    },
    { n: 2, t: '\\N', d: ancient, ts: ancient, tz: ancient, o: false, f: -0, ia: [], j: true },
    { n: 3, t: '', d: future, ts: future, tz: future, j: '"text"' },
    parseJson(
      '{"n":4.0,"t":-0,"b":null,"j":{"a":[1.0,-0,1E400,9007199254740993]},"jb":[1.0,9007199254740993],"ia":[1.0,2],"ta":[1.0,1e5],"o":1.0,"f":1E5,"i8":1e3,"nu":1.50,"ja":[[1.0],1.50,7]}',
    ) as Row,
  ]);
  assert.equal(await staging.close(), 4);
  assert.deepEqual(run.rejects, []);
  const rows = await database.query(
    "SELECT t, d::text, ts::text, (tz AT TIME ZONE 'UTC')::text AS tz, b::text, j::text, jb::text, ia::text, ta::text, o," +
      " f::text, i8::text, nu::text, ja::text, ba::text, (tt[1] AT TIME ZONE 'UTC')::text AS tt FROM staged ORDER BY n",
  );
  const nothing = { b: null, jb: null, ta: null, i8: null, nu: null, ja: null, ba: null, tt: null };
  assert.deepEqual(rows, [
    {
      t: 'tab\t newline\n return\r back\\slash \\N é 😀 \u0001',
      d: '2024-02-29',
      ts: '2024-02-29 23:59:59.123',
      tz: '2024-02-29 23:59:59.123',
      b: '\\x00ff5c',
      j: '{"a":"\\n","b":[1,null]}',
      jb: '[1, "x"]',
      ia: '{{1,NULL},{-3,4}}',
      ta: '{"a\\"b\\\\c","","NULL",NULL,"{}","é,"}',
      o: true,
      f: 'Infinity',
      i8: '-9223372036854775808',
      nu: '1000000000000000000000',
      ja: '{"{\\"a\\": \\"\\\\\\"\\"}",[1]}',
      ba: '{"\\\\x01"}',
      tt: '2024-02-29 23:59:59.123',
    },
    {
      ...nothing,
      t: '\\N',
      d: '0045-02-29 BC',
      ts: '0045-02-29 23:59:59.123 BC',
      tz: '0045-02-29 23:59:59.123 BC',
      j: 'true',
      ia: '{}',
      o: false,
      f: '-0',
    },
    {
      ...nothing,
      t: '',
      d: '12024-02-29',
      ts: '12024-02-29 23:59:59.123',
      tz: '12024-02-29 23:59:59.123',
      j: '"text"',
      ia: null,
      o: null,
      f: null,
    },
    {
      ...nothing,
      t: '-0',
      d: null,
      ts: null,
      tz: null,
      j: '{"a":[1.0,-0,1E400,9007199254740993]}',
      jb: '[1.0, 9007199254740993]',
      ia: '{1,2}',
      ta: '{1.0,1e5}',
      o: true,
      f: '100000',
      i8: '1000',
      nu: '1.50',
      ja: '{[1.0],1.50,7}',
    },
  ]);
});

test('every text survives: encoded, split by tab and newline, and read back', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('\\', '\t', '\n', '\r', 'N', 'é', '😀') }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.option(text), fc.option(text)), { minLength: 1 }), (pairs) => {
      const rows = pairs.map(([a, b]) => ({ a, b }));
      const { out, count, rejects } = encode([column('a'), column('b')], rows);
      const good = rows.filter(({ a, b }) =>
        [a, b].every((v) => v === null || (!v.includes('\0') && Buffer.from(v).toString() === v)),
      );
      assert.equal(count, good.length);
      assert.equal(rejects.length, rows.length - good.length);
      for (const [i, row] of good.entries()) {
        assert.deepEqual({ ...out.readRow(i, out.startOf(i), ['a', 'b']) }, row);
      }
    }),
    { numRuns: 300 },
  );
});
