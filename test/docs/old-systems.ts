import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { makeSqlite, sampleFile } from '../../samples/milestones-to-sections/sqlite.js';
import { FILE_NAMES, PRACTICE } from '../../samples/okvet-import/practice.js';
import { demo as recipes } from '../../samples/recipe-snapshots/demo.js';
import { demo as tasks } from '../../samples/tasks-to-operations/demo.js';
import { type TestDatabase, testDatabase } from '../support/database.js';
import { exported, lotSystem } from '../support/lots.js';
import { GOOD, practiceDatabase } from '../support/okvet.js';
import { projectFolder } from '../support/server.js';
import { sqliteFile } from '../support/sqlite.js';

// What the documents take for granted when they show a command: the old system, its database, and its files.

const sample = (...path: readonly string[]) => readFileSync(join(projectFolder, 'samples', ...path));

/** Makes the database of a pipeline's new tables, and the files that commands name, in `cwd`. */
type Make = (t: TestContext, cwd: string) => Promise<TestDatabase>;

/** By what a command works on. */
export const SYSTEMS = {
  async lots(t, cwd) {
    const database = await lotSystem(t);
    writeFileSync(join(cwd, 'serials.csv.gz'), gzipSync(`${(await exported(database)).join('\n')}\n`));
    return database;
  },
  async tasks(t) {
    const database = await testDatabase(t);
    await tasks.prepare((sql) => database.query(sql));
    return database;
  },
  async recipes(t, cwd) {
    writeFileSync(join(cwd, 'sample_data.json'), sample('recipe-snapshots', 'sample_data.json'));
    const database = await testDatabase(t);
    await recipes.prepare((sql) => database.query(sql));
    return database;
  },
  async milestones(t, cwd) {
    await makeSqlite(join(cwd, 'app.db'));
    const database = await testDatabase(t);
    await database.query(await sampleFile('new/schema.sql'));
    return database;
  },
  async practice(t) {
    const database = await practiceDatabase(t);
    // The practice whose tables are called otherwise.
    await database.query(`CREATE SCHEMA theirs; SET search_path = theirs;
      ${sample('okvet-import', 'schema.sql').toString()};
      ALTER TABLE clients RENAME TO customers; ALTER TABLE pets RENAME TO patients;
      ALTER TABLE customers RENAME first_name TO given_name`);
    return database;
  },
  async shop(t, cwd) {
    const orders = 'id,day,total\n1,2026-10-31,2.50\n2,2026-11-02,7\n';
    writeFileSync(join(cwd, 'orders.csv'), orders);
    writeFileSync(join(cwd, 'orders.csv.gz'), gzipSync(orders));
    writeFileSync(join(cwd, 'changes.jsonl.gz'), gzipSync('{"id":2,"day":"2026-11-02","total":8}\n'));
    writeFileSync(join(cwd, 'people.csv'), 'id,name\n1,Ada\n2,Grace\n');
    const database = await testDatabase(t);
    await database.query(`CREATE TABLE orders (id integer PRIMARY KEY, day date, total numeric);
      CREATE SCHEMA shop; CREATE TABLE shop.orders (LIKE orders INCLUDING ALL);
      CREATE TABLE shop.customers (id integer PRIMARY KEY, name text)`);
    return database;
  },
  async customers(t, cwd) {
    writeFileSync(join(cwd, 'sales.csv'), 'id,customer,state\n1,A1,open\n2,A1,paid\n');
    writeFileSync(join(cwd, 'customers.csv'), 'code,name,email,since\nA1,Ada,ada@example.com,2025-01-01\n');
    const database = await testDatabase(t);
    await database.query('CREATE TABLE customers (code text PRIMARY KEY, name text, email text, since date)');
    return database;
  },
} as const satisfies Record<string, Make>;

/** Makes the files anew that a line reads: an export in the encoding that it says, an SQLite file with what it asks for. */
export function filesFor(t: TestContext, line: string, cwd: string): void {
  if (/export\/|mascotas/.test(line)) {
    const good: Readonly<Record<string, readonly Readonly<Record<string, string>>[]>> = GOOD;
    for (const name of FILE_NAMES) {
      const text = sample('okvet-import', 'files', `${name}.csv`).toString(PRACTICE[name].encoding);
      const fields = (text.split('\n', 1)[0] ?? '').trim().split(',');
      const lines = (good[name] ?? []).map((row) => fields.map((field) => row[field] ?? '').join(','));
      const made = [fields.join(','), ...lines, ''].join('\n');
      writeFileSync(
        join(cwd, name === 'pets' && /mascotas/.test(line) ? 'mascotas.csv' : join('export', `${name}.csv`)),
        Buffer.from(made, /latin1/.test(line) ? 'latin1' : 'utf8'),
      );
    }
  }
  if (/old\.db/.test(line)) {
    const first = /--create/.test(line);
    const made = sqliteFile(
      t,
      `CREATE TABLE people (id INTEGER, name TEXT, active BOOLEAN);
       INSERT INTO people VALUES (${first ? 1 : 2}, 'Ada', 1);
       ${first ? '' : "CREATE TABLE orders (id INTEGER, day TEXT, total REAL); INSERT INTO orders VALUES (1, '2026-10-31', 2.5)"}`,
    );
    copyFileSync(made, join(cwd, 'old.db'));
  }
}

/** Which of them a line is about, where it says so. */
export function systemOf(line: string): keyof typeof SYSTEMS | undefined {
  const said = [
    [/lot-consolidation|serials/, 'lots'],
    [/tasks-to-operations/, 'tasks'],
    [/recipe-snapshots/, 'recipes'],
    [/milestones-to-sections/, 'milestones'],
    [/okvet|own-tables|vetsoft/, 'practice'],
    [/customers\.ts|open-orders/, 'customers'],
    [/sluice (?:copy|export)/, 'shop'],
  ] as const;
  return said.find(([words]) => words.test(line))?.[1];
}
