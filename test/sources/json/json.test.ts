import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { jsonText } from '../../../src/core/json/write.js';
import { originOf, type Row } from '../../../src/core/row.js';
import { json } from '../../../src/sources/json/index.js';
import { MAX_DEPTH } from '../../../src/sources/text/depth.js';
import { tempFile } from '../../support/files.js';
import { rowsOf, testRun } from '../../support/run.js';

const failure =
  (code: string, facts: object = {}) =>
  (error: unknown) => {
    const { code: got, facts: all } = error as { code: string; facts: Record<string, unknown> };
    assert.equal(got, code, String(error));
    for (const [name, value] of Object.entries(facts)) assert.deepEqual(all[name], value);
    return true;
  };

test('a document that is not JSON, or ends too early, fails with its line', async (t) => {
  await assert.rejects(
    rowsOf(json(tempFile(t, 'a.json', '[{"a":1},\n{"a":2},\n{"a":x}]'))),
    failure('invalid_json', { line: 3 }),
  );
  await assert.rejects(
    rowsOf(json(tempFile(t, 'b.json', '[{"a":1},\n{"a":2}'))),
    failure('invalid_json', { line: 2 }),
  );
  await assert.rejects(
    rowsOf(json(tempFile(t, 'c.json', '{"a":1}\n{"a":2\n'))),
    failure('invalid_json', { line: 3 }),
  );
  await assert.rejects(rowsOf(json(tempFile(t, 'f.json', '[{"a":1}]\n{"a":2}'))), failure('invalid_json'));
  await assert.rejects(rowsOf(json(tempFile(t, 'g.json', '1 {"a":2}'))), failure('invalid_json'));
  await assert.rejects(rowsOf(json(tempFile(t, 'd.json', ''))), failure('empty_file'));
  const bad = Buffer.from('[{"a":"caf\xe9"}]', 'latin1');
  await assert.rejects(rowsOf(json(tempFile(t, 'e.json', bad))), failure('invalid_utf8', { offset: 10 }));
});

test('an array that is not there is named with those that are', async (t) => {
  const path = tempFile(t, 'a.json', '{"meta":{"n":1},"data":{"items":[{"a":1}],"other":[]}}');
  await assert.rejects(
    rowsOf(json(path)),
    failure('no_array', { details: ['arrays in it: data.items, data.other', 'keys at its top: meta, data'] }),
  );
  await assert.rejects(rowsOf(json(path, { at: 'data.item' })), failure('no_array'));
  await assert.rejects(rowsOf(json(path, { at: 'data' })), failure('no_array'));
  assert.deepEqual(await rowsOf(json(path, { at: 'data.items' })), [{ a: 1 }]);
});

test('only an array of objects, or an empty one, is offered as the one that is meant', async (t) => {
  const shape = (features: string) =>
    `{"bbox":[1,2],"arcs":[[[1,2]]],"no":[],"names":["a"],"map":{"parts":${features}}}`;
  await assert.rejects(
    rowsOf(json(tempFile(t, 'a.json', shape('[{"a":1}]')))),
    failure('no_array', {
      details: ['arrays in it: map.parts, no', 'keys at its top: bbox, arcs, no, names, map'],
    }),
  );
  // One that numbers alone are in is a row itself; asked for another array, there is none to offer.
  await assert.rejects(
    rowsOf(json(tempFile(t, 'b.json', '{"bbox":[1,2]}'), { at: 'rows' })),
    failure('no_array', { details: ['keys at its top: bbox'] }),
  );
  await assert.rejects(
    rowsOf(json(tempFile(t, 'c.json', '[1,2]'), { at: 'rows' })),
    /c\.json is an array itself, and no document that has one at rows/,
  );
});

test('keys with dots in them are found by the path that messages offer', async (t) => {
  const path = tempFile(t, 'a.json', '{"v1.0":{"all.rows":[{"a":1}]},"v1":{"0":[{"b":1}]}}');
  await assert.rejects(
    rowsOf(json(path)),
    failure('no_array', { details: ['arrays in it: v1.0.all.rows, v1.0', 'keys at its top: v1.0, v1'] }),
  );
  assert.deepEqual(await rowsOf(json(path, { at: 'v1.0.all.rows' })), [{ a: 1 }]);
  assert.deepEqual(await rowsOf(json(path, { at: ['v1.0', 'all.rows'] })), [{ a: 1 }]);
  assert.deepEqual(await rowsOf(json(path, { at: ['v1', '0'] })), [{ b: 1 }]);
  // Which of two is meant a string cannot say; a list can.
  const two = tempFile(t, 'b.json', '{"a.b":[{"x":1}],"a":{"b":[{"x":2}]}}');
  await assert.rejects(rowsOf(json(two, { at: 'a.b' })), failure('duplicate_key'));
  assert.deepEqual(await rowsOf(json(two, { at: ['a', 'b'] })), [{ x: 2 }]);
});

test('elements that are no objects, or nested too deep, are rejects by their place', async (t) => {
  const deep = (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  const run = testRun();
  const path = tempFile(
    t,
    'a.json',
    `[{"a":1},2,[{"b":1}],null,${deep(10_000)},${deep(MAX_DEPTH - 1)},{"z":{"y":[]}}]`,
  );
  const rows: Row[] = [];
  for await (const chunk of json(path).read(run)) rows.push(...chunk);
  assert.deepEqual(rows.map(originOf), [1, 6, 7]);
  assert.deepEqual(
    run.rejects.map(({ reason, line, raw }) => [reason, line, raw]),
    [
      ['not_an_object', 2, '2'],
      ['not_an_object', 3, '[{"b":1}]'],
      ['not_an_object', 4, 'null'],
      ['too_deep', 5, deep(10_000)],
    ],
  );
});

test('__proto__ is a column like any other, and numbers are kept as they were written', async (t) => {
  const path = tempFile(
    t,
    'a.json',
    '[{"__proto__":{"admin":true},"id":9007199254740993,"f":1.5,"n":[1e400,{"m":12.50}]}]',
  );
  const [row] = await rowsOf(json(path));
  assert.equal((row as { admin?: boolean }).admin, undefined);
  assert.equal(
    jsonText(row),
    '{"__proto__":{"admin":true},"id":9007199254740993,"f":1.5,"n":[1e400,{"m":12.50}]}',
  );
});

test('a key twice in one object is a reject by its element, and one that leads to the array an error', async (t) => {
  const run = testRun();
  const rows = await rowsOf(
    json(
      tempFile(
        t,
        'a.json',
        '{"a":1,"a":2,"rows":[{"a":1,"b":{"a":1}},{"a":1,"\\u0061":1},{"b":[1,{"c":{"d":1,"d":1}}]},{"d":1}, 1.0]}',
      ),
      { at: 'rows' },
    ),
    run,
  );
  assert.deepEqual(rows, [{ a: 1, b: { a: 1 } }, { d: 1 }]);
  assert.deepEqual(
    run.rejects.map(({ reason, line, column, message, raw }) => [
      reason,
      line,
      column,
      message?.split(':')[0],
      raw,
    ]),
    [
      ['duplicate_key', 2, 'a', 'the key "a" stands twice', '{"a":1,"a":1}'],
      ['duplicate_key', 3, 'b', 'the key "d" stands twice in b[1].c', '{"b":[1,{"c":{"d":1,"d":1}}]}'],
      ['not_an_object', 5, undefined, 'a row must be a JSON object, and element 5 is a number', '1.0'],
    ],
  );
  for (const [text, at] of [
    ['{"rows":[{"a":1}],"rows":[{"a":2}]}', 'rows'],
    ['{"data":{"rows":[{"a":1}]},"data":1}', 'data.rows'],
    ['{"data":{"rows":[{"a":1}],"rows":1}}', 'data.rows'],
  ] as const)
    await assert.rejects(rowsOf(json(tempFile(t, 'b.json', text), { at })), failure('duplicate_key'));
  // The same key in two objects is none that stands twice.
  const two = tempFile(t, 'c.json', '{"x":{"rows":[]},"data":{"x":{"data":1,"rows":1},"rows":[{"a":1}]}}');
  assert.deepEqual(await rowsOf(json(two, { at: 'data.rows' })), [{ a: 1 }]);
});

test('an element of which no row can be made is kept as the text that it is', async (t) => {
  const bad = [
    '{"x":1.50,"o":{"a":[],"b":{"é\\n":"\\"\\\\"},"b":[{},[1e400,true,null],""]},"z":[false]}',
    '{"a":[[],{"k":[]},{"k":0,"l":{"m":9007199254740993,"m":{}},"n":-0}],"a":{"__proto__":1,"b":[2,{"c":{}}]}}',
    `{"deep":[1,${'[{"a":'.repeat(600)}"x"${'}]'.repeat(600)},2],"b":{"c":null}}`,
    `{"a":1,"long":"${'x'.repeat(200_000)}","a":2}`,
  ];
  const run = testRun();
  const path = tempFile(t, 'a.json', `[{"a":1},${bad.join(' ,\n ')},{"a":{"a":2}}]`);
  assert.deepEqual(await rowsOf(json(path), run), [{ a: 1 }, { a: { a: 2 } }]);
  assert.deepEqual(
    run.rejects.map(({ line, raw }) => [line, raw]),
    [...bad.slice(0, 3), undefined].map((text, at) => [at + 2, text]),
  );
});

test('an element longer than the limit is refused with the limit named', async (t) => {
  const path = tempFile(t, 'a.json', `[{"a":1},{"a":"${'x'.repeat(3_000_000)}"}]`);
  await assert.rejects(rowsOf(json(path, { maxRecordBytes: 1_000_000 })), (error: unknown) => {
    assert.match(String(error), /longer than 1000000 bytes/);
    return failure('record_too_long')(error);
  });
  assert.equal((await rowsOf(json(path))).length, 2);
});

test('the array is found at any depth and under keys with dots; a mark and gzip are read', async (t) => {
  const path = tempFile(
    t,
    'a.json',
    gzipSync('\ufeff{"x":[{"items":[{"no":1}]}],"a.b":{"items":[{"yes":1}]}}'),
  );
  assert.deepEqual(await rowsOf(json(path, { at: ['a.b', 'items'] })), [{ yes: 1 }]);
  assert.deepEqual(await rowsOf(json(tempFile(t, 'b.json', ' [ ] '))), []);
});

test('any array of objects is read as JSON.parse reads it, over many chunks', async (t) => {
  const objects = fc.sample(fc.dictionary(fc.string(), fc.jsonValue()), { seed: 11, numRuns: 800 });
  const text = JSON.stringify({ rows: objects });
  const rows = await rowsOf(json(tempFile(t, 'a.json', text), { at: 'rows' }));
  assert.deepEqual(
    rows.map(jsonText),
    objects.map((row) => JSON.stringify(row)),
  );
});

test('a document that is an array itself has no array at a name, and says how to read it', async (t) => {
  const path = tempFile(t, 'a.json', '[{"a":1}]');
  await assert.rejects(rowsOf(json(path, { at: 'things' })), (error: unknown) => {
    assert.match(String(error), /is an array itself/);
    const next = String((error as SluiceError).facts.next);
    assert.equal(
      next,
      `say which input it is: the same command with --input things=${path} and without --source`,
    );
    return failure('no_array', {})(error);
  });
});

test('a column that no record has fails with the one that is meant; one that some lack is NULL there', async (t) => {
  const path = tempFile(t, 'a.json', '{"rows":[{"id":1},{"id":2,"producedAt":null}]}');
  await assert.rejects(
    rowsOf(json(path, { at: 'rows', columns: ['id', 'produced_at'] })),
    (error: unknown) => {
      assert.match(String(error), /none of the 2 records of rows in .*a\.json has a column produced_at/);
      return failure('missing_column', { next: 'is producedAt meant? call it produced_at' })(error);
    },
  );
  assert.equal((await rowsOf(json(path, { at: 'rows', columns: ['id', 'producedAt'] }))).length, 2);
  const empty = tempFile(t, 'b.json', '[]');
  assert.deepEqual(await rowsOf(json(empty, { columns: ['id'] })), []);
});

test('the check looks at the beginning only: what stands behind megabytes of others is left to the reading', async (t) => {
  const others = Array.from({ length: 50_000 }, (_, id) => `{"id":${id},"text":"${'x'.repeat(100)}"}`);
  const run = testRun();
  const late = tempFile(t, 'a.json', `{"others":[${others.join(',')}],"rows":[{"a":1}]`);
  await json(late, { at: 'rows' }).check?.(run);
  await assert.rejects(rowsOf(json(late, { at: 'rows' })), failure('invalid_json'));
  const missing = tempFile(t, 'b.json', '{"others":[{"a":1}]}');
  await assert.rejects(json(missing, { at: 'rows' }).check?.(run) as Promise<void>, failure('no_array'));
});
