import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import pg from 'pg';
import { type LedgerText, ledgerText } from '../../src/db/ledger-text.js';
import { sluice } from '../support/cli.js';
import { serverUrl } from '../support/database.js';
import { tempFolder } from '../support/files.js';

const back = (encoding: string, text: string) => {
  const code = ledgerText(encoding) as LedgerText;
  return code.decode(code.encode(text));
};

test('what an encoding cannot hold is written by its number, and read back, whatever the text was', () => {
  const latin1 = ledgerText('LATIN1');
  const other = ledgerText('WIN1252');
  assert.ok(latin1 !== undefined && other !== undefined);
  assert.equal(latin1.encode('é € 😀'), 'é {U+20AC} {U+1F600}');
  assert.equal(other.encode('é'), '{U+00E9}');
  const texts = ['é € 😀', '{U+20AC}', '{U+', '{{U+007B}U+20AC}', 'plain {} text'];
  const asJson = JSON.stringify({ texts });
  for (const code of ['LATIN1', 'WIN1252'])
    assert.deepEqual(
      texts.map((text) => back(code, text)),
      texts,
    );
  // Inside JSON as well.
  assert.deepEqual(latin1.decode(JSON.parse(latin1.encode(asJson))), { texts });
  assert.equal(ledgerText('UTF8'), undefined);
  assert.equal(ledgerText('SQL_ASCII'), undefined);
});

/** The URL of a database of another encoding; dropped with the test. */
async function encodedDatabase(t: TestContext, encoding: string): Promise<string> {
  const url = new URL(await serverUrl());
  const name = `encoded_${encoding.toLowerCase()}_${process.pid}`;
  const admin = new pg.Client({ connectionString: url.href });
  await admin.connect();
  t.after(async () => {
    await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await admin.end();
  });
  await admin.query(
    `CREATE DATABASE ${name} ENCODING '${encoding}' LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`,
  );
  url.pathname = `/${name}`;
  return url.href;
}

for (const encoding of ['LATIN1', 'WIN1252', 'SQL_ASCII'])
  test(`${encoding}: rejects, file names and our own texts are kept as they are, and resubmitted`, async (t) => {
    const url = await encodedDatabase(t, encoding);
    const client = new pg.Client({ connectionString: url });
    // The database is dropped with the test, before its sessions have ended.
    client.on('error', () => {});
    await client.connect();
    t.after(() => client.end());
    await client.query('CREATE TABLE prices (id int PRIMARY KEY, note text, n int)');
    const cwd = tempFolder(t);
    const run = (command: string) => sluice(command.split(' '), { cwd, env: { DATABASE_URL: url } });
    // Ł is in none of these; a NUL byte, and a value that is cut when it is shown.
    const name = 'preise-Ł.csv';
    writeFileSync(
      join(cwd, name),
      `id,note,n\n1,ok,1\n2,Łódź,x\n3,a\0b,1\n4,long,${'9x'.repeat(4000)}\n5,é,1\n`,
    );
    const first = await run(`copy ${name} --into prices --max-rejects 3 --yes`);
    assert.equal(first.code, 4, first.stderr);
    const shown = await run('rejects 1');
    assert.match(shown.stdout, /preise-Ł\.csv, line 3: n is "x"/);
    const given = await run('rejects 1 --format csv');
    assert.match(given.stdout, /^2,Łódź,x,/m);
    const fixed = given.stdout.replace('Łódź,x', 'Lodz,2').replace('a␀b', 'ab').replace(/(9x)+/, '4');
    writeFileSync(join(cwd, 'fixed.csv'), fixed);
    const fed = await run('copy fixed.csv --into prices --only-rejects-of 1 --yes');
    assert.equal(fed.code, 0, fed.stderr);
    const { rows } = await client.query('SELECT * FROM prices ORDER BY id');
    assert.deepEqual(
      rows.map(({ id, note, n }) => [id, note, n].join(' ')),
      ['1 ok 1', '2 Lodz 2', '3 ab 1', '4 long 4', '5 é 1'],
    );
    // Where the character is what is wrong, the row is a reject of its own, with its line.
    writeFileSync(join(cwd, 'more.csv'), 'id,note,n\n6,fine,1\n7,Ł,1\n');
    const more = await run('copy more.csv --into prices --max-rejects 1 --yes');
    assert.equal(more.code, encoding === 'SQL_ASCII' ? 0 : 4, more.stderr);
    if (encoding !== 'SQL_ASCII') assert.match((await run('rejects 3')).stdout, /more\.csv, line 3: /);
  });
