import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headerLine } from '../../sinks/files/csv-form.js';
import { copyOutSql } from '../../src/export/statement.js';

const CSV = { delimiter: ',', header: true };
const plain = { schema: 'shop', table: 'a"b', columns: ['id', 'x y'], plain: true };

test('a plain table is read by COPY itself, every name quoted', () => {
  assert.equal(
    copyOutSql(plain, 'csv', { delimiter: ';', header: true, nullText: "N'A" }),
    `COPY "shop"."a""b" ("id", "x y") TO STDOUT WITH (FORMAT csv, DELIMITER ';', NULL 'N''A')`,
  );
  assert.equal(copyOutSql(plain, 'parquet', CSV), 'COPY "shop"."a""b" ("id", "x y") TO STDOUT');
});

test('a view, and a table that others inherit from, are read by a query', () => {
  assert.equal(
    copyOutSql({ ...plain, plain: false }, 'csv', CSV),
    `COPY (SELECT "id", "x y" FROM "shop"."a""b"\n) TO STDOUT WITH (FORMAT csv, DELIMITER ',', NULL '')`,
  );
});

test('a query may end with a semicolon or a comment', () => {
  assert.equal(
    copyOutSql({ query: 'SELECT 1 AS a; -- one\n' }, 'csv', CSV),
    `COPY (SELECT 1 AS a; -- one\n) TO STDOUT WITH (FORMAT csv, DELIMITER ',', NULL '')`,
  );
  assert.equal(
    copyOutSql({ query: 'SELECT 1 AS a ;\n' }, 'parquet', CSV),
    'COPY (SELECT 1 AS a\n) TO STDOUT',
  );
});

test('JSON is made of whole rows by the server', () => {
  assert.equal(
    copyOutSql(plain, 'jsonl', CSV),
    'COPY (SELECT pg_catalog.row_to_json("row".*) FROM (SELECT "id", "x y" FROM "shop"."a""b"\n) AS "row") TO STDOUT',
  );
});

test('names in a header are quoted where they need it', () => {
  assert.equal(headerLine(['id', 'a,b', 'say "x"', ' edge'], CSV), 'id,"a,b","say ""x"""," edge"\n');
  assert.equal(headerLine(['id', 'a;b'], { delimiter: ';', header: true }), 'id;"a;b"\n');
});
