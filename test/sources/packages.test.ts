import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tempFile } from '../support/files.js';
import { parquetFile } from '../support/parquet.js';
import { withoutPackages } from '../support/without-packages.js';
import { inline, xlsxBytes } from '../support/xlsx.js';

test('without its package a source says how to install it, and the others are read', async (t) => {
  const paths = [
    parquetFile(t, [{ name: 'id', data: ['1'], type: 'STRING' }]),
    tempFile(t, 'a.xlsx', xlsxBytes({ sheets: { A: inline(['id'], ['1']) } })),
    tempFile(t, 'a.csv', 'id\n1\n'),
  ];
  const code = `
    const { fileSource } = await import(process.argv[1]);
    const run = { signal: new AbortController().signal, share: (_, make) => make(), progress() {} };
    for (const path of ${JSON.stringify(paths)})
      try {
        for await (const rows of fileSource(path).read(run)) console.log('read', rows.length);
      } catch (error) {
        console.log(error.code, [error.facts.next].flat()[0]);
      }`;
  assert.equal(
    await withoutPackages(t, ['hyparquet', 'yauzl', 'saxes'], code),
    'no_parquet_reader npm install hyparquet\nno_xlsx_reader npm install yauzl saxes\nread 1\n',
  );
});
