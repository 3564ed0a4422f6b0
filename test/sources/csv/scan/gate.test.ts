import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ColumnForm } from '../../../../src/core/field-check.js';
import { readColumns } from '../../../../src/db/catalog/columns.js';
import { gate } from '../../../../src/sources/csv/scan/gate.js';
import type { GateReason } from '../../../../src/sources/csv/scan/reasons.js';
import { testDatabase } from '../../../support/database.js';
import { encoded, formsOf, type Lanes, raw, read } from '../../../support/lanes.js';

const COMMA = 44;

const digits: ColumnForm = {
  name: 'n',
  check: (bytes, start, end) => /^\d+$/.test(Buffer.from(bytes).toString('latin1', start, end)),
};
const FORMS: readonly ColumnForm[] = [digits, { name: 't' }];

/** What is refused, behind a record on two lines that is not. */
const REFUSED: readonly (readonly [reason: GateReason, record: string, encoding?: 'latin1'])[] = [
  ['not_utf8', '1,\xff\n', 'latin1'],
  ['not_utf8', '"1\xc3",x\n', 'latin1'],
  ['nul_byte', '1,a\0b\n'],
  ['nul_byte', '1\0,"b\n"\n'],
  ['end_of_data', '\\.\n'],
  ['end_of_data', '\\.'],
  ['end_of_data', '1,"\n\\.\n"\n'],
  ['line_ends', '1,a\r\n'],
  ['line_ends', '1,a\r'],
  ['line_ends', '1,a\rb\n'],
  ['line_ends', '1,"a"\rb\n'],
  ['quote', '1,5" pipe\n'],
  ['quote', '1,"a"b\n'],
  ['quote', '1,"a" \n'],
  ['quote', '1, "a"\n'],
  ['quote', '1,"a\n'],
  ['quote', '1,"a""\n'],
  ['quote', '1,"'],
  ['field_count', '1\n'],
  ['field_count', '1,2,3\n'],
  ['field_count', '""\n'],
  ['field_count', '1,2,'],
  ['blank_line', '\n'],
  ['value', 'x,a\n'],
  ['value', '"",a\n'],
  ['value', '"1""",a\n'],
  ['value', ' 1,a'],
];

test('each reason to say no, with the record it is about; what stands before it may go', () => {
  const before = '1,"a\n"\n';
  for (const [reason, record, encoding = 'utf8'] of REFUSED)
    for (const behind of record.endsWith('\n') ? ['', '2,b\n', '2,"\xff'] : [''])
      for (const start of [0, 3]) {
        const text = Buffer.concat([
          Buffer.from('"a\n'.slice(0, start) + before),
          Buffer.from(record + behind, encoding),
        ]);
        assert.deepEqual(
          gate(text, start, text.length, COMMA, FORMS),
          { refused: reason, at: start + before.length, rows: 1, lines: 2 },
          JSON.stringify([record, behind]),
        );
      }
});

test('what goes to the server: rows and physical lines', () => {
  const passed = (text: string, forms: readonly (ColumnForm | undefined)[] = FORMS, delimiter = ',') => {
    const bytes = Buffer.from(`x"${text}"\xff`, 'utf8');
    return gate(bytes, 2, 2 + Buffer.byteLength(text), delimiter.charCodeAt(0), forms);
  };
  const all = (text: string, rows: number, lines: number) => ({
    at: 2 + Buffer.byteLength(text),
    rows,
    lines,
  });
  const texts: readonly (readonly [text: string, rows: number, lines: number])[] = [
    ['', 0, 0],
    ['1,a\n2,b\n', 2, 2],
    ['1,a\n2,b', 2, 2],
    ['1,a\r\n2,b\r\n', 2, 2],
    ['1,a\r\n2,"b"', 2, 2],
    [',\n"2",""', 2, 2],
    ['1,"a\r\nb\rc\nd"\n2,"x""y"\n', 2, 4],
    ['1,"a,""\n"""\r\n', 1, 2],
    ['1,\\.\n2,\\.x\n', 2, 2],
    ['1,\ufeffé😀\n', 1, 1],
  ];
  for (const [text, rows, lines] of texts) assert.deepEqual(passed(text), all(text, rows, lines), text);
  assert.deepEqual(passed('a|1\n', [{ name: 't' }, digits], '|'), all('a|1\n', 1, 1));
  // What no column takes may be anything that is text.
  assert.deepEqual(passed('1,x\n', [digits, undefined]), all('1,x\n', 1, 1));
  // With one column a blank line is a row, to our reader and to COPY.
  assert.deepEqual(passed('\n\n1\n', [digits]), all('\n\n1\n', 3, 3));
});

test('NULL is what the dialect says, and refused where the column must have something', () => {
  const must: ColumnForm = { name: 'n', notNull: true };
  const run = (text: string, form: ColumnForm, nullText?: string) => {
    const bytes = Buffer.from(text);
    const options = nullText === undefined ? {} : { nullText: Buffer.from(nullText) };
    return gate(bytes, 0, bytes.length, COMMA, [{ name: 't' }, form], options).refused;
  };
  assert.equal(run('a,\n', must), 'null');
  assert.equal(run('a,""\n', must), undefined);
  assert.equal(run('a,\n', digits), undefined);
  assert.equal(run('a,""\n', digits), 'value');
  assert.equal(run('a,\\N\n', digits, '\\N'), undefined);
  assert.equal(run('a,\\M\n', digits, '\\N'), 'value');
  assert.equal(run('a,\\N\n', must, '\\N'), 'null');
  assert.equal(run('a,"\\N"\n', must, '\\N'), undefined);
  assert.equal(run('a,\n', digits, '\\N'), 'value');
  assert.equal(run('a,\n', must, '\\N'), undefined);
});

test('a record longer than may be is for the reader to refuse', () => {
  const bytes = Buffer.from('1,aaaa\n2,aaaaa\n');
  const options = { maxRecordBytes: 7 };
  assert.deepEqual(gate(bytes, 0, bytes.length, COMMA, FORMS, options), {
    refused: 'too_long',
    at: 7,
    rows: 1,
    lines: 1,
  });
});

test('the server reads what passes as our reader does, and reads otherwise or refuses what does not', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE two (n int, t text, place bigserial)');
  await database.query('CREATE TABLE one (t text, place bigserial)');
  const client = await database.connect();
  const rowsOf = async (table: string) => {
    const rows = await database.query<{ row: object }>(
      `SELECT to_jsonb(whole) - 'place' AS row FROM ${table} AS whole ORDER BY place`,
    );
    await database.query(`TRUNCATE ${table}`);
    return rows.map(({ row }) => JSON.stringify(row));
  };
  const compare = async (lanes: Lanes, bytes: Buffer) => {
    const refused = await raw(lanes, bytes);
    const own = await rowsOf(lanes.table);
    const { text, rejects } = read(lanes, bytes);
    assert.equal(await encoded(lanes, text), undefined);
    return { refused, own, ours: await rowsOf(lanes.table), rejects };
  };
  const lanesOf = async (table: string): Promise<Lanes> => ({
    client,
    table,
    columns: (await readColumns(database, 'public', table)).filter(({ name }) => name !== 'place'),
  });
  const [two, one] = [await lanesOf('two'), await lanesOf('one')];

  const same: readonly (readonly [text: string, of: Partial<Lanes>])[] = [
    ['1,a\n2,"b"\n', two],
    ['1,\r\n2,""\r\n"3","x\r\ny\rz\n"', two],
    ['1,"a\r"\n,\\.\n,\\.x\n', two],
    ['\ufeff1,a\n'.slice(1), two],
    ['1,\ufeff\n', two],
    ['1,  a\t \n2,\\N\n3,NULL\n4,\\n\\\\\n', two],
    ['1;a,b\n', { ...two, delimiter: ';' }],
    ['1\ta\n', { ...two, delimiter: '\t' }],
    ['1\\a\n', { ...two, delimiter: '\\' }],
    ['1\x01a\n', { ...two, delimiter: '\x01' }],
    ['NULL,NULL\n1,\n2,"NULL"\n3,""\n4,NULLS\n', { ...two, null: 'NULL' }],
    ['\\N,\\N\n', { ...two, null: '\\N' }],
    ['\n\na\n""\n', one],
    ['\r\n"\n"\r\n', one],
    ['\\.x\nx\\.\n', one],
    ['\ufeffa\n', one],
  ];
  for (const [text, of] of same) {
    const lanes = of as Lanes;
    const bytes = Buffer.from(text);
    const { delimiter = ',', null: nullText = '' } = lanes;
    const gated = gate(bytes, 0, bytes.length, delimiter.charCodeAt(0), formsOf(lanes), {
      nullText: Buffer.from(nullText),
    });
    assert.equal(gated.refused, undefined, JSON.stringify([text, gated]));
    const { refused, own, ours, rejects } = await compare(lanes, bytes);
    assert.deepEqual({ refused, own, rejects }, { refused: undefined, own: ours, rejects: [] }, text);
    assert.equal(gated.rows, own.length);
  }

  // One that is refused for caution alone: newer servers take it for a value.
  const careful: readonly GateReason[] = ['end_of_data'];
  for (const [reason, record, encoding = 'utf8'] of REFUSED) {
    if (careful.includes(reason) || record.startsWith(' 1')) continue;
    const bytes = Buffer.concat([Buffer.from('1,a\n'), Buffer.from(record, encoding)]);
    const { refused, own, ours, rejects } = await compare(two, bytes);
    const differs = refused !== undefined || rejects.length > 0 || own.join() !== ours.join();
    assert.ok(differs, `${reason} ${JSON.stringify(record)}: the server reads it as we do`);
  }
  await client.end();
});
