import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import okvetImport from '../../../pipelines/okvet-import/index.js';
import { FILES } from '../../../samples/okvet-import/generate.js';
import { resumedInputs } from '../../../src/cli/given/inputs.js';
import { sluice } from '../../support/cli.js';
import { WITHOUT_LEDGER } from '../../support/database.js';
import { tempFolder } from '../../support/files.js';
import { openDatabase } from '../../support/lots.js';
import { importing, practiceDatabase, practiceFiles } from '../../support/okvet.js';

test('a folder of files is a dry run, and with --execute it is imported', async (t) => {
  const database = await practiceDatabase(t);
  const cwd = tempFolder(t);
  cpSync(fileURLToPath(new URL('files', FILES)), join(cwd, 'export'), { recursive: true });
  const options = { cwd, env: { DATABASE_URL: database.url } };
  const command = [
    ...['run', 'okvet-import', '--source', 'export', '--yes', '--max-rejects', '60%'],
    ...['--encoding', 'medical_records=latin1', '--encoding', 'appointments=latin1'],
  ];
  const tried = await sluice(command, options);
  assert.equal(tried.code, 0, tried.stderr);
  assert.match(tried.stderr, /dry run: every row was read/);
  assert.match(tried.stderr, /--source export .*--encoding medical_records=latin1 .*--execute/);
  const rows = async () => (await database.query<{ n: number }>('SELECT count(*)::int AS n FROM pets'))[0]?.n;
  assert.equal(await rows(), 0);
  const done = await sluice([...command, '--execute'], options);
  assert.equal(done.code, 4, done.stderr);
  assert.equal(await rows(), 7);
  const [vet] = await database.query("SELECT veterinarian FROM medical_records WHERE source_id = 'E-108'");
  assert.deepEqual(vet, { veterinarian: 'Dr. Iván Muñoz' });
});

test('a Latin-1 file read as UTF-8, a folder without files and two files for one input are refused', async (t) => {
  const database = await practiceDatabase(t);
  const cwd = tempFolder(t);
  const options = { cwd, env: { DATABASE_URL: database.url } };
  const run = (...args: string[]) => sluice(['run', 'okvet-import', ...args], options);
  const empty = await run('--source', '.');
  assert.equal(empty.code, 2);
  assert.match(empty.stderr, /has no file that is called as an input is/);
  for (const name of ['pets.csv', 'pets.jsonl']) writeFileSync(join(cwd, name), '');
  const twice = await run('--source', '.');
  assert.equal(twice.code, 2);
  assert.match(twice.stderr, /two files for pets: pets.csv and pets.jsonl/);
  const latin1 = fileURLToPath(new URL('files/medical_records.csv', FILES));
  const unread = await run('--input', `medical_records=${latin1}`);
  assert.notEqual(unread.code, 0);
  assert.match(unread.stderr, /--encoding/);
  const other = await run('--input', `medical_records=${latin1}`, '--encoding', 'pets=latin1');
  assert.equal(other.code, 2);
  assert.match(other.stderr, /--encoding names the input pets, of which no file is given/);
});

test('a run that is resumed reads its files by the encodings of then', async (t) => {
  const database = await practiceDatabase(t);
  const opened = openDatabase(t, database);
  const { summary } = await importing(t, database, {}, { inputs: practiceFiles() });
  const inputs = await resumedInputs(opened, okvetImport, summary.batch as string, { input: [], set: [] });
  const encodings = Object.entries(inputs).map(([name, { encoding }]) => `${name} ${encoding}`);
  assert.deepEqual(encodings.sort(), [
    'appointments latin1',
    'clients utf-8',
    'invoices utf-8',
    'medical_records latin1',
    'pets utf-8',
    'vaccinations utf-8',
  ]);
});

test('check reads every row and refuses as the run would; --max-rejects allows, and --no-rows asks the questions alone', async (t) => {
  const database = await practiceDatabase(t);
  await database.query(WITHOUT_LEDGER);
  const cwd = tempFolder(t);
  const header =
    'ID Mascota,ID Cliente,Nombre,Especie,Raza,Sexo,Fecha de nacimiento,Peso,Color,Microchip,Esterilizado,Fallecido,Notas';
  writeFileSync(join(cwd, 'pets.csv'), `${header}\nP1,1,Luna,Perro,,,2024-02-30,,,,,,\n`);
  const command = (name: string, ...args: string[]) =>
    sluice([name, 'okvet-import', '--input', 'pets=pets.csv', ...args], {
      cwd,
      env: { DATABASE_URL: database.url },
    });
  const refused = await command('check');
  assert.equal(refused.code, 3, refused.stderr);
  assert.match(refused.stderr, /✗ rows: 1 of 1 row was rejected; none may be/);
  assert.match(
    refused.stderr,
    /bad date \(Fecha de nacimiento\): 1 row, such as pets\.csv, line 2: .*2024-02-30/,
  );
  assert.match(refused.stderr, /sluice check okvet-import --input pets=pets\.csv --max-rejects 1/);
  const allowed = await command('check', '--max-rejects', '1');
  assert.equal(allowed.code, 0, allowed.stderr);
  assert.match(
    allowed.stderr,
    /next: sluice run okvet-import --input pets=pets\.csv --max-rejects 1 --dry-run/,
  );
  const questions = await command('check', '--no-rows');
  assert.equal(questions.code, 0, questions.stderr);
  assert.match(questions.stderr, /next: sluice run okvet-import --input pets=pets\.csv --dry-run/);
  const assessed = await command('assess', '--html', 'a.html');
  assert.equal(assessed.code, 3, assessed.stderr);
  assert.match(assessed.stdout, /✗ 1 of 1 row was rejected/);
  assert.match(readFileSync(join(cwd, 'a.html'), 'utf8'), /Rows that a run would reject[\s\S]*2024-02-30/);
  assert.deepEqual(await database.query("SELECT FROM pg_namespace WHERE nspname ~ '^sluice'"), []);
});
