import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pipeline } from '../../../src/core/pipeline.js';
import { append } from '../../../src/core/target.js';
import type { Source } from '../../../src/core/types.js';
import { readRejects } from '../../../src/db/ledger/rejects.js';
import { csvLine, RejectsFile } from '../../../src/run/resubmit/rejects-file.js';
import { csv } from '../../../src/sources/csv/index.js';
import { json } from '../../../src/sources/json/index.js';
import { jsonl } from '../../../src/sources/json/jsonl.js';
import { sqlite } from '../../../src/sources/sqlite/index.js';
import { testDatabase } from '../../support/database.js';
import { tempFile, tempFolder } from '../../support/files.js';
import { type Options, openDatabase, runOn } from '../../support/lots.js';
import { sqliteFile } from '../../support/sqlite.js';

const COLUMNS = ['a', 'b', 'c'] as const;
const nine = { maxRejects: { rows: 9 } };

const INPUTS: Readonly<Record<string, (t: TestContext) => Source>> = {
  csv: (t) => csv(tempFile(t, 'in.csv', 'a,b,c\n2,x\0y,\0\n3,ok,\n')) as Source,
  json: (t) =>
    json(
      tempFile(
        t,
        'in.json',
        '[{"a":1,"b":"\\ud800","c":"\\u0000"},{"a":2,"b":"\\udc00b"},{"a":3,"b":"␀\\u0000�"},{"a":4}]',
      ),
    ) as Source,
  sqlite: (t) =>
    sqlite(
      sqliteFile(
        t,
        "CREATE TABLE t (a INT, b TEXT, c TEXT); INSERT INTO t VALUES (1, 'x' || char(0) || 'y', 'z'), (2, CAST(x'61ff' AS TEXT), NULL), (3, 'ok', NULL)",
      ),
      { table: 't' },
    ) as Source,
};

for (const [kind, open] of Object.entries(INPUTS))
  for (const format of ['csv', 'jsonl'] as const)
    test(`${kind}: what no database can hold is rejected again where it is resubmitted untouched, by way of ${format}`, async (t) => {
      const database = await testDatabase(t);
      await database.query('CREATE TABLE odd (a int, b text, c text)');
      const source = open(t);
      const of = pipeline({
        name: 'odd',
        summary: 'Rows into a table.',
        inputs: { rows: source },
        tables: { odd: append('odd', { columns: COLUMNS }) },
        flows: ({ inputs, tables }) => [{ source: inputs.rows, root: { stages: [], into: tables.odd } }],
      });
      const run = (options: Options) => runOn(t, database, of, options);
      await run(nine);
      const opened = openDatabase(t, database);
      const rejects = await readRejects(opened, '1', 0, 100);
      await opened.close();
      let text = '';
      const file = new RejectsFile(format === 'csv' ? COLUMNS : undefined, async (lines) => {
        text += `${lines}\n`;
      });
      await file.begin();
      await file.add(rejects);
      assert.equal(file.unknown, 0);
      assert.ok(!text.includes('\0') && text.isWellFormed());
      const path = join(tempFolder(t), `fixed.${format}`);
      const fix = async (lines: string) => {
        writeFileSync(path, lines);
        const rows = (format === 'csv' ? csv(path) : jsonl(path)) as Source;
        return run({ inputs: { rows }, onlyRejectsOf: '1' });
      };
      await assert.rejects(fix(text), { code: 'too_many_rejects' });
      const why = await database.query<{ reasons: string[] }>(
        "SELECT to_json(array_agg(replace(reason, 'nul_in_text', 'nul_byte') ORDER BY line)) AS reasons FROM sluice.migration_reject GROUP BY batch_id ORDER BY batch_id",
      );
      assert.equal(why.length, 2);
      assert.deepEqual(
        why[1]?.reasons,
        why[0]?.reasons.map((each) => each.replace('invalid_utf8', 'lone_surrogate')),
      );
      assert.deepEqual(await database.query('SELECT count(*)::int AS n FROM odd'), [{ n: 1 }]);
      // What is put in its place is published.
      const fixed = text.replaceAll(/[␀�]|\\u[0d][0-9a-f]{3}/g, '!');
      const done = await fix(fixed);
      assert.equal(done.summary.rejected, 0);
      const [odd] = await database.query(
        "SELECT count(*)::int AS n, count(*) FILTER (WHERE b ~ '[␀�]' OR c ~ '[␀�]')::int AS wrong FROM odd",
      );
      assert.deepEqual(odd, { n: rejects.length + 1, wrong: 0 });
    });

test('a file of rejects that no ledger has holds a NUL itself, which is rejected again', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE odd (a int, b text, c text)');
  const input = INPUTS.csv as (t: TestContext) => Source;
  const of = pipeline({
    name: 'odd',
    summary: 'Rows into a table.',
    inputs: { rows: input(t) },
    tables: { odd: append('odd', { columns: COLUMNS }) },
    flows: ({ inputs, tables }) => [{ source: inputs.rows, root: { stages: [], into: tables.odd } }],
  });
  await runOn(t, database, of, nine);
  const opened = openDatabase(t, database);
  const [reject] = await readRejects(opened, '1', 0, 1);
  await opened.close();
  assert.ok(reject !== undefined);
  assert.match(csvLine(reject, COLUMNS, false), /^2,x\0y,\0,/);
  assert.match(csvLine(reject, COLUMNS), /^2,x␀y,␀,/);
});

test('the ledger keeps a NUL of a rejected row beside the sign for it, and nothing of what is masked', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE odd (a int, b text, c text)');
  const input = csv(tempFile(t, 'in.csv', 'a,b,c\n2,x\0y,s\0cret\n')) as Source;
  const of = pipeline({
    name: 'odd',
    summary: 'Rows into a table.',
    mask: ['c'],
    inputs: { rows: input },
    tables: { odd: append('odd', { columns: COLUMNS }) },
    flows: ({ inputs, tables }) => [{ source: inputs.rows, root: { stages: [], into: tables.odd } }],
  });
  await runOn(t, database, of, nine);
  const [kept] = await database.query('SELECT raw::text FROM sluice.migration_reject');
  assert.deepEqual(kept, {
    raw: '{"a":"2","b":"x␀y","c":"[masked]","sluice_as_it_was":"{\\"b\\":\\"x\\\\u0000y\\"}"}',
  });
});
