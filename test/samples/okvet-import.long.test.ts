import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { demo } from '../../samples/okvet-import/demo.js';
import { FILES, fileText, type Planted, writePractice } from '../../samples/okvet-import/generate.js';
import { FILE_NAMES, Practice } from '../../samples/okvet-import/practice.js';
import { testDatabase } from '../support/database.js';
import { tempFolder } from '../support/files.js';
import { importing, practiceContents, practiceDatabase, practiceFiles } from '../support/okvet.js';
import { compareRejects } from '../support/practice.js';

const expected = (name: string) => readFile(new URL(`expected/${name}.csv`, FILES), 'utf8');

test('the sample gives the expected rows in every table, and the expected rejects', async (t) => {
  const database = await practiceDatabase(t);
  const { summary } = await importing(t, database, {}, { inputs: practiceFiles() });
  const asCsv = async (sql: string) => {
    const client = await database.connect({
      types: { getTypeParser: () => (text: string) => text } as never,
    });
    const { fields, rows } = await client.query(sql);
    await client.end();
    const quoted = (value: unknown) => {
      const text = String(value ?? '');
      return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const head = fields.map((field) => field.name).filter((name) => name !== 'created_at');
    return [head, ...rows.map((row) => head.map((name) => quoted(row[name])))]
      .map((line) => `${line.join(',')}\n`)
      .join('');
  };
  for (const name of FILE_NAMES)
    assert.equal(await asCsv(`SELECT * FROM ${name} ORDER BY id`), await expected(name), name);
  assert.equal(
    await asCsv(
      `SELECT record_type, line, source_id, reason, column_name, value, message FROM sluice.migration_reject
       WHERE batch_id = ${summary.batch} ORDER BY record_type, line`,
    ),
    await expected('rejects'),
  );
});

test('the demo makes its tables in an empty database, and its looks find them', async (t) => {
  const database = await testDatabase(t);
  await demo.prepare((sql) => database.query(sql));
  const found: number[] = [];
  for (const { sql } of demo.look) found.push((await database.query(sql)).length);
  assert.deepEqual(found, [6, 0]);
});

test('a generated practice is imported, and every planted row is found with its reason, and no other', async (t) => {
  const database = await practiceDatabase(t);
  const folder = tempFolder(t);
  const bad = await writePractice(folder, { clients: 400, seed: 11 });
  const first = await importing(t, database, {}, { inputs: practiceFiles(folder) });
  assert.equal(first.summary.read, 3500);
  const compared = await compareRejects(database.query, first.summary.batch as string, folder);
  assert.deepEqual(compared, { planted: bad, missed: [], unexpected: [] });
  assert.ok(bad > 70, `3 % of 3500 rows are bad: ${bad}`);

  const before = await practiceContents(database);
  const again = await importing(t, database, {}, { inputs: practiceFiles(folder) });
  assert.equal(again.summary.rejected, bad);
  assert.deepEqual(await practiceContents(database), before, 'the same files again change nothing');
});

test('the generator gives the same practice for the same seed, and another for another', () => {
  const made = (seed: number) => {
    const practice = new Practice({ clients: 200, seed });
    const planted: Planted[] = [];
    const text = FILE_NAMES.map((name) =>
      [...fileText(practice, name, (each) => planted.push(each))].join(''),
    );
    return { text: text.join('\n'), planted };
  };
  assert.deepEqual(made(7), made(7));
  assert.notEqual(made(7).text, made(8).text);
  const { planted } = made(7);
  const [first] = planted;
  assert.ok(first !== undefined && first.line > 10, 'lines are counted from the header on');
});

test('every file of a generated practice is in its encoding', async (t) => {
  const folder = tempFolder(t);
  await writePractice(folder, { clients: 120, seed: 3 });
  const bytes = await readFile(join(folder, 'medical_records.csv'));
  assert.ok(bytes.includes(Buffer.from('Diagnóstico', 'latin1')));
  assert.ok(
    (await readFile(join(folder, 'clients.csv'))).includes(Buffer.from('Correo electrónico', 'utf8')),
  );
});
