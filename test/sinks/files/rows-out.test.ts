import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { csvFile, jsonlFile } from '../../../sinks/index.js';
import { numberOf } from '../../../src/core/json/exact-number.js';
import type { Row } from '../../../src/core/row.js';
import type { Sink } from '../../../src/core/types.js';
import { tempFolder } from '../../support/files.js';
import { isSluice } from '../../support/said.js';
import { type SinkRun, sinkRun } from '../../support/sink-run.js';

/** Writes the chunks, and gives the rejects; the file is kept. */
async function kept(t: TestContext, sink: Sink, ...chunks: Row[][]): Promise<SinkRun['rejects']> {
  const run = sinkRun(t);
  const staging = await sink.open(run);
  for (const chunk of chunks) await staging.write(chunk);
  await staging.close();
  await staging.finish?.();
  await staging.keep?.();
  return run.rejects;
}

const ODD: Row = {
  text: 'a, "b"\r\nc',
  edge: ' x',
  empty: '',
  nothing: null,
  gone: undefined,
  big: 9007199254740993n,
  exact: numberOf('1.10'),
  flag: true,
  at: new Date('2026-11-29T10:00:00.5Z'),
  bytes: Uint8Array.of(222, 173),
  list: ['a', 1],
  dot: '\\.',
};

test('CSV has every value as COPY reads it: NULL, the empty text, line ends, exact numbers, bytes, nested ones', async (t) => {
  const path = join(tempFolder(t), 'odd.csv');
  assert.deepEqual(await kept(t, csvFile(path), [ODD]), []);
  assert.equal(
    readFileSync(path, 'utf8'),
    'text,edge,empty,nothing,gone,big,exact,flag,at,bytes,list,dot\n' +
      '"a, ""b""\r\nc"," x","",,,9007199254740993,1.10,true,2026-11-29 10:00:00.500+00,\\xdead,"[""a"",1]","\\."\n',
  );
});

test('JSON Lines have numbers exactly, and a row has its own columns where none are named', async (t) => {
  const path = join(tempFolder(t), 'odd.jsonl');
  assert.deepEqual(await kept(t, jsonlFile(path), [ODD, { other: 1 }], [{}]), []);
  assert.equal(
    readFileSync(path, 'utf8'),
    '{"text":"a, \\"b\\"\\r\\nc","edge":" x","empty":"","nothing":null,"gone":null,"big":9007199254740993,"exact":1.10,' +
      '"flag":true,"at":"2026-11-29T10:00:00.500Z","bytes":"\\\\xdead","list":["a",1],"dot":"\\\\."}\n{"other":1}\n{}\n',
  );
});

test('named columns are the file’s, in their order: others are left out, missing ones are NULL', async (t) => {
  const folder = tempFolder(t);
  const columns = ['b', 'a'];
  await kept(t, csvFile(join(folder, 'x.csv'), { columns }), [{ a: '1', b: '2', c: '3' }, { a: '4' }]);
  await kept(t, jsonlFile(join(folder, 'x.jsonl'), { columns }), [{ a: '1', b: '2', c: '3' }, { a: '4' }]);
  assert.equal(readFileSync(join(folder, 'x.csv'), 'utf8'), 'b,a\n2,1\n,4\n');
  assert.equal(readFileSync(join(folder, 'x.jsonl'), 'utf8'), '{"b":"2","a":"1"}\n{"b":null,"a":"4"}\n');
});

test('where no columns are named, a row with a value that the file has no column for is rejected, not cut', async (t) => {
  const path = join(tempFolder(t), 'x.csv');
  const rejects = await kept(t, csvFile(path), [{ a: '1' }, { a: '2', b: 'more' }, { a: '3', b: null }]);
  assert.deepEqual(
    rejects.map(({ why: { reason, column } }) => [reason, column]),
    [['unknown_column', 'b']],
  );
  assert.equal(readFileSync(path, 'utf8'), 'a\n1\n3\n');
});

test('a value that has no text is a reject with its column', async (t) => {
  const folder = tempFolder(t);
  const circle: { self?: unknown } = {};
  circle.self = circle;
  const bad = [{ a: () => 1 }, { a: circle }, { a: new Date('never') }];
  const csv = await kept(t, csvFile(join(folder, 'x.csv'), { columns: ['a'] }), bad);
  const json = await kept(t, jsonlFile(join(folder, 'x.jsonl')), [...bad, { a: Number.NaN }]);
  assert.deepEqual(
    csv.map(({ why: { reason, column } }) => `${reason} ${column}`),
    ['wrong_type a', 'not_json a', 'invalid_date a'],
  );
  assert.deepEqual(
    json.map(({ why: { reason } }) => reason),
    ['not_json', 'not_json', 'invalid_date', 'not_json'],
  );
});

test('of no rows a file of named columns has its header; delimiter, header and the text of NULL can be others', async (t) => {
  const folder = tempFolder(t);
  const at = (name: string) => join(folder, name);
  await kept(t, csvFile(at('none.csv'), { columns: ['a', 'b;c'], delimiter: ';' }));
  await kept(t, csvFile(at('unnamed.csv')));
  await kept(t, csvFile(at('form.csv'), { delimiter: ';', header: false, nullText: 'NULL' }), [
    { a: null, b: 'NULL' },
    { a: 'x;y', b: 'x,y' },
  ]);
  await kept(t, csvFile(at('one.csv.gz')), [{ a: null }, { a: '' }, { a: '\\N' }]);
  assert.equal(readFileSync(at('none.csv'), 'utf8'), 'a;"b;c"\n');
  assert.equal(readFileSync(at('unnamed.csv'), 'utf8'), '');
  assert.equal(readFileSync(at('form.csv'), 'utf8'), 'NULL;"NULL"\n"x;y";x,y\n');
  assert.equal(gunzipSync(readFileSync(at('one.csv.gz'))).toString(), 'a\n\\N\n""\n"\\N"\n');
});

test('a form that could not be read again is refused where it is declared', () => {
  assert.throws(() => csvFile('x.csv', { delimiter: '""' }), isSluice('export_options'));
  assert.throws(() => csvFile('x.csv', { nullText: 'a,b' }), isSluice('export_options'));
});

test('until it is kept a file has another name, and none where it is discarded; one that is there is refused first', async (t) => {
  const folder = tempFolder(t);
  const path = join(folder, 'x.csv');
  const sink = csvFile(path);
  const first = await sink.open(sinkRun(t));
  await first.write([{ a: '1' }]);
  await first.close();
  await first.finish?.();
  const unfinished = readdirSync(folder);
  assert.equal(unfinished.length, 1);
  assert.match(unfinished[0] as string, /^x\.csv\.\d+\.part$/);
  await first.discard();
  assert.deepEqual(readdirSync(folder), []);
  writeFileSync(path, 'mine');
  await assert.rejects(async () => sink.check?.(sinkRun(t)), isSluice('export_exists'));
  await csvFile(path, { overwrite: true }).check?.(sinkRun(t));
  assert.equal(readFileSync(path, 'utf8'), 'mine');
});
