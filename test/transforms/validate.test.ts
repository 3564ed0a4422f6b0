import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testStage } from 'sluice/testing';
import { parseJson } from '../../src/core/json/parse.js';
import { jsonText } from '../../src/core/json/write.js';
import type { Row } from '../../src/core/row.js';
import { type JsonSchema, type ValidateOptions, validate, validator } from '../../transforms/index.js';
import { long } from '../support/long.js';

const check = (schema: JsonSchema, row: Row, options?: ValidateOptions<Row>) =>
  testStage(validate(schema, options), [row], { chunkSizes: [1] });
const reasonOf = async (schema: JsonSchema, row: Row, options?: ValidateOptions<Row>) =>
  (await check(schema, row, options)).rejects[0]?.reason;
const column = (schema: object, required = false): JsonSchema => ({
  type: 'object',
  properties: { c: schema },
  ...(required ? { required: ['c'] } : {}),
});

test('a schema that cannot be used is refused when the stage is built', () => {
  assert.throws(() => validate({ type: 'objekt' }), { code: 'bad_schema' });
  assert.throws(() => validate({ properteis: {} }), { code: 'bad_schema' });
});

test('a bad row is one reject with all its errors, column and value of the first', async () => {
  const schema = {
    type: 'object',
    required: ['email', 'age'],
    properties: { email: { type: 'string', format: 'email' }, age: { type: 'integer', minimum: 0 } },
  };
  const ran = await testStage(validate(schema), [
    { email: 'a@b.org', age: '7' },
    { email: 'nobody', age: '-1' },
    { email: null, age: '5' },
  ] as Row[]);
  assert.deepEqual(
    ran.rows.map((row) => row.age),
    ['7'],
  );
  const [bad, missing] = ran.rejects;
  assert.deepEqual([bad?.reason, bad?.column, bad?.value], ['format', 'email', 'nobody']);
  assert.equal(bad?.message, 'email must match format "email"; age must be >= 0');
  assert.deepEqual(
    [missing?.reason, missing?.column, missing?.message],
    ['required', 'email', 'email is missing'],
  );
});

test('text that reads as the type asked for is of that type, and the row stays text', async () => {
  for (const text of ['12', '-3', '+4', '1e3', '12.0']) {
    assert.equal(await reasonOf(column({ type: 'integer' }), { c: text }), undefined, text);
  }
  for (const text of ['12.5', '', ' 12', 'abc', '0x10', 'Infinity', '1_000']) {
    assert.equal(await reasonOf(column({ type: 'integer' }), { c: text }), 'type', text);
  }
  for (const text of ['t', 'TRUE', 'no', '0']) {
    assert.equal(await reasonOf(column({ type: 'boolean' }), { c: text }), undefined, text);
  }
  assert.equal(await reasonOf(column({ type: 'boolean' }), { c: 'maybe' }), 'type');
  assert.equal(await reasonOf(column({ enum: [1, 2] }), { c: '3' }), 'enum');
  assert.equal(await reasonOf(column({ enum: [1, 2] }), { c: '2' }), undefined);
  const ran = await check(column({ type: 'number', maximum: 10 }), { c: '9.50' });
  assert.equal(ran.rows[0]?.c, '9.50');
});

test('text stays text where the schema admits text', async () => {
  assert.equal(await reasonOf(column({ type: 'string', pattern: '^0' }), { c: '007' }), undefined);
  assert.equal(
    await reasonOf(column({ type: ['string', 'integer'], minLength: 2 }), { c: '7' }),
    'min_length',
  );
});

test('NULL is absent unless the schema allows it', async () => {
  assert.equal(await reasonOf(column({ type: 'string' }), { c: null }), undefined);
  assert.equal(await reasonOf(column({ type: 'string' }, true), { c: null }), 'required');
  assert.equal(await reasonOf(column({ pattern: 'x' }, true), { c: null }), 'required');
  for (const schema of [
    { type: ['string', 'null'] },
    { type: 'string', nullable: true },
    { enum: ['a', null] },
  ]) {
    assert.equal(await reasonOf(column(schema, true), { c: null }), undefined, JSON.stringify(schema));
  }
  const referred = {
    ...column({ $ref: '#/definitions/n' }, true),
    definitions: { n: { anyOf: [{ type: 'integer' }, { type: 'null' }] } },
  };
  assert.equal(await reasonOf(referred, { c: null }), undefined);
  assert.equal(await reasonOf(referred, { c: '5' }), undefined);
  assert.equal(await reasonOf(referred, { c: 'x' }), 'type');
});

test('columns named only in a condition are read as well', async () => {
  const schema = {
    type: 'object',
    properties: { kind: { type: 'string' } },
    if: { properties: { kind: { const: 'box' } } },
    // biome-ignore lint/suspicious/noThenProperty: the word is JSON Schema's
    then: { required: ['weight'], properties: { weight: { type: 'number', maximum: 30 } } },
  };
  assert.equal(await reasonOf(schema, { kind: 'box', weight: null }), 'required');
  assert.equal(await reasonOf(schema, { kind: 'box', weight: '31' }), 'maximum');
  assert.equal(await reasonOf(schema, { kind: 'bag', weight: null }), undefined);
});

test('strict types are JSON Schema to the letter', async () => {
  assert.equal(await reasonOf(column({ type: 'integer' }), { c: '12' }, { types: 'strict' }), 'type');
  assert.equal(await reasonOf(column({ type: 'integer' }), { c: 12 }, { types: 'strict' }), undefined);
  assert.equal(await reasonOf(column({ type: 'string' }), { c: null }, { types: 'strict' }), 'type');
});

test('the draft is the one that $schema names', async () => {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...column({ type: 'integer' }),
    dependentRequired: { c: ['d'] },
  };
  assert.equal(await reasonOf(schema, { c: '1', d: null }), 'dependent_required');
  assert.equal(await reasonOf(schema, { c: '1', d: 'x' }), undefined);
  assert.equal(await reasonOf(schema, { c: null, d: null }), undefined);
});

test('a column that the schema does not know is named', async () => {
  const ran = await check(
    { type: 'object', properties: { a: {} }, additionalProperties: false },
    { a: 'x', b: 'y' },
  );
  assert.deepEqual([ran.rejects[0]?.reason, ran.rejects[0]?.column], ['additional_properties', 'b']);
});

const rules = [
  {
    name: 'ends_after_start',
    column: 'to',
    test: (row: Row) => String(row.to) >= String(row.from) || 'to lies before from',
  },
  { name: 'has_length', test: (row: Row) => (row.from as string).length > 0 },
];

test('rules see all rows, and their errors stand beside those of the schema', async () => {
  const schema = column({ type: 'integer' }, true);
  const ran = await check(schema, { c: 'x', from: '2', to: '1' }, { rules });
  assert.equal(ran.rejects[0]?.reason, 'type');
  assert.equal(ran.rejects[0]?.message, 'c must be integer; to lies before from');
  const ruled = await check(schema, { c: '1', from: '2', to: '1' }, { rules });
  assert.deepEqual([ruled.rejects[0]?.reason, ruled.rejects[0]?.value], ['ends_after_start', '1']);
});

test('an exception in a rule counts only where the schema fits', async () => {
  const schema = column({ type: 'integer' }, true);
  assert.equal(await reasonOf(schema, { c: 'x', from: null, to: '1' }, { rules }), 'type');
  await assert.rejects(check(schema, { c: '1', from: null, to: '1' }, { rules }), { code: 'stage_failed' });
});

test('a reject can say what is wrong in words of the schema’s author', async () => {
  const schema = { type: 'object', properties: { email: { type: 'string', format: 'email' } } };
  const stage = validate(schema, { messages: { email: { format: 'Invalid email format' } } });
  const { rejects } = await testStage(stage, [{ email: 'ana' }]);
  assert.deepEqual(
    rejects.map(({ reason, message }) => [reason, message]),
    [['format', 'Invalid email format']],
  );
});

test('the same questions can be asked of a single row', () => {
  const judge = validator(
    { type: 'object', required: ['name'], properties: { age: { type: 'integer' } } },
    { rules: [{ name: 'grown_up', column: 'age', test: (row) => Number(row.age) >= 18 || 'too young' }] },
  );
  assert.deepEqual(judge({ name: 'Ana', age: '30' }), []);
  assert.deepEqual(
    judge({ name: null, age: '3' }).map(({ reason, column }) => [reason, column]),
    [
      ['required', 'name'],
      ['grown_up', 'age'],
    ],
  );
});

long('numbers of any size are of their type and within their bounds, to the last digit', async () => {
  const row = (literal: string) => parseJson(`{"c":${literal}}`) as Row;
  const doc = (literal: string) => parseJson(`{"c":{"in":[${literal}]}}`) as Row;
  const big = '9007199254740993';
  for (const [schema, good, bad, reason] of [
    [
      '{"type":"integer"}',
      [big, '1.0', '1e400', '-0', '12345678901234567890'],
      [`${big}.5`, '1.00000000000000000001', '1e-400'],
      'type',
    ],
    ['{"type":"number"}', [big, '1e400', '12.50', '0.12345678901234567890'], [], 'type'],
    [
      '{"maximum":9007199254740992}',
      ['9007199254740992', '9007199254740992.0', '1'],
      [big, '1e400', '9007199254740992.1'],
      'maximum',
    ],
    [`{"maximum":${big}}`, [big, '9007199254740992'], ['9007199254740994', `${big}.000001`], 'maximum'],
    ['{"minimum":0.1}', ['0.1', '0.10000000000000000001'], ['0.09999999999999999999', '-1e400'], 'minimum'],
    [
      `{"exclusiveMinimum":${big}}`,
      ['9007199254740994', '1E17'],
      [big, '9007199254740992'],
      'exclusive_minimum',
    ],
    [
      '{"exclusiveMaximum":0.30000000000000000001}',
      ['0.3', '0.300000000000000000001'],
      ['0.30000000000000000001', '0.31'],
      'exclusive_maximum',
    ],
    [
      '{"multipleOf":0.01}',
      ['12.50', '12345678901234567.89', '1e400'],
      ['12345678901234567.891', '1e-400'],
      'multiple_of',
    ],
    [`{"const":${big}}`, [big, `${big}.0`], ['9007199254740992', '9007199254740994'], 'const'],
    [
      `{"enum":[1.5,${big}]}`,
      [big, '1.50', '15e-1'],
      ['9007199254740992', '1.5000000000000000000001'],
      'enum',
    ],
  ] as const) {
    const asked = parseJson(schema) as object;
    for (const [make, wanted] of [
      [row, column(asked)],
      [doc, column({ properties: { in: { items: asked } } })],
    ] as const) {
      for (const literal of good)
        assert.equal(await reasonOf(wanted, make(literal)), undefined, `${schema} ${literal}`);
      for (const literal of bad)
        assert.equal(await reasonOf(wanted, make(literal)), reason, `${schema} ${literal}`);
    }
  }
  const unique = column({ uniqueItems: true });
  assert.equal(
    await reasonOf(unique, parseJson(`{"c":[${big},9007199254740992,{"a":${big}}]}`) as Row),
    undefined,
  );
  assert.equal(await reasonOf(unique, parseJson(`{"c":[1,${big},1.0,${big}.0]}`) as Row), 'unique_items');
});

test('digits of text count as those of numbers do, and a row that fits is passed as it was', async () => {
  const bounded = column({ type: 'integer', maximum: 9007199254740992 });
  assert.equal(await reasonOf(bounded, { c: '9007199254740992' }), undefined);
  assert.equal(await reasonOf(bounded, { c: '9007199254740993' }), 'maximum');
  assert.equal(await reasonOf(column({ type: 'number' }), { c: '1e400' }), undefined);
  const given = parseJson('{"c":12.50,"d":[1e400]}') as Row;
  const { rows, rejects } = await check(column({ type: 'number', minimum: 12.5 }), given);
  assert.deepEqual([rows.map(jsonText), rejects], [[jsonText(given)], []]);
  const [bad] = (await check(column({ minimum: 13 }), parseJson('{"c":12.50000000000000000001}') as Row))
    .rejects;
  assert.deepEqual([bad?.message, String(bad?.value)], ['c must be >= 13', '12.50000000000000000001']);
});
