import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sluice } from '../support/cli.js';
import { EMPTY, type TestDatabase, testDatabase } from '../support/database.js';
import { long } from '../support/long.js';
import { testRole } from '../support/role.js';
import { called, shadowByTypes, shadowEverything } from '../support/shadows.js';

/** A system whose code names its tables without a schema; nothing in it is looked up along the path but those. */
const SYSTEM = `
CREATE SCHEMA app;
CREATE TABLE app.audit (what pg_catalog.text);
CREATE TABLE app.kinds (code pg_catalog.text PRIMARY KEY);
INSERT INTO app.kinds VALUES ('a'), ('b');
CREATE TABLE app.parts (id pg_catalog.int4 PRIMARY KEY, name pg_catalog.text, kind pg_catalog.text REFERENCES app.kinds, place pg_catalog.int4 UNIQUE);
CREATE TABLE app.notes (body pg_catalog.text);
CREATE TABLE app.children (part pg_catalog.int4 REFERENCES app.parts);
INSERT INTO app.parts VALUES (1, 'one', 'a', 1), (2, 'two', 'b', 2), (3, 'three', NULL, 3);
CREATE FUNCTION app.noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit VALUES (TG_OP); RETURN NULL; END $$;
CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE ON app.parts FOR EACH STATEMENT EXECUTE FUNCTION app.noted();
CREATE FUNCTION app.some_kind() RETURNS pg_catalog.text LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN (SELECT k.code FROM kinds k LIMIT 1); END $$;
ALTER TABLE app.parts ALTER kind SET DEFAULT app.some_kind();
`;

const PIPELINE = `
import { flow, merge, pipeline, query, replace, validation } from 'sluice';
export default pipeline({
  name: 'again',
  summary: 'parts and notes once more',
  inputs: { parts: query('SELECT id, name, kind, place FROM parts'), notes: query('SELECT name AS body FROM parts') },
  tables: { parts: merge('parts', { columns: ['id', 'name', 'kind', 'place'], key: ['id'] }), notes: replace('notes', { columns: ['body'] }) },
  flows: ({ inputs, tables }) => [flow(inputs.parts).into(tables.parts), flow(inputs.notes).into(tables.notes)],
  validations: [validation('names', 'there are names', async ({ database }) => {
    await database.query('SELECT name FROM parts');
    return [];
  })],
});
`;

interface Attacked {
  readonly database: TestDatabase;
  /** Runs a command as the superuser who owns everything, and sees that it met no shadow; what it printed. */
  run(args: readonly string[], code?: number): Promise<string>;
  /** The shadows that have been called. */
  witness(): Promise<string[]>;
}

/** A database whose public everybody may create in, where a role without any other right has put what `shadow` makes. */
async function attacked(t: TestContext, shadow: typeof shadowEverything, path: string): Promise<Attacked> {
  const database = await testDatabase(t, { template: EMPTY });
  const role = await testRole(t);
  const admin = await database.connect({ options: '-c search_path=pg_catalog' });
  const query = async <T extends object>(sql: string, parameters: readonly unknown[] = []) =>
    (await admin.query(sql, parameters as unknown[])).rows as T[];
  await query(`GRANT CREATE, USAGE ON SCHEMA public TO PUBLIC; SET ROLE ${role}`);
  await shadow(query);
  await query(`RESET ROLE; ${SYSTEM}
    ALTER DATABASE ${database.name} SET track_functions = 'pl';
    ALTER DATABASE ${database.name} SET search_path = ${path}`);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-path-'));
  const files = {
    'parts.csv': 'id,name,kind,place\n2,TWO,a,3\n3,THREE,b,5\n4,four,a,4\n',
    'names.csv': 'id,name\n2,zwei\n9,neun\n',
    'bad.csv': 'id,name,kind,place\n1,eins,a,1\n7,sieben,nowhere,7\nx,x,a,8\n',
    'notes.csv': 'body\none\none\n',
    'again.ts': PIPELINE,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return {
    database: { ...database, query },
    async run(args, code = 0) {
      const ended = await sluice([...args, '--database-url', database.url], { cwd: folder });
      assert.equal(ended.code, code, `${args.join(' ')}\n${ended.stderr}`);
      return ended.stdout;
    },
    async witness() {
      // The server counts a session's calls when it ends.
      for (let others = 1; others > 0; await sleep(20))
        [{ others } = { others: 0 }] = await query<{ others: number }>(
          'SELECT pg_catalog.count(*)::pg_catalog.int4 AS others FROM pg_catalog.pg_stat_activity WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid()',
        );
      return called(query);
    },
  };
}

const COMMANDS: readonly (readonly [args: readonly string[], code?: number])[] = [
  [['status'], 2],
  [['init']],
  [['status']],
  [['copy', 'parts.csv', '--into', 'parts', '--mode', 'merge', '--dry-run']],
  [['copy', 'parts.csv', '--into', 'parts', '--mode', 'merge', '--key', 'id', '--yes']],
  [['status', '1']],
  [['rollback', '1', '--yes']],
  [['copy', 'parts.csv', '--into', 'parts', '--mode', 'sync', '--key', 'id', '--max-shrink', '90%', '--yes']],
  [['report', '2']],
  [['rollback', '2', '--yes']],
  [
    ['copy', 'names.csv', '--into', 'parts', '--mode', 'patch', '--key', 'id', '--max-rejects', '1', '--yes'],
    4,
  ],
  [['rejects', '3']],
  [['rollback', '3', '--yes']],
  [
    ['copy', 'bad.csv', '--into', 'parts', '--mode', 'merge', '--key', 'id', '--max-rejects', '5', '--yes'],
    4,
  ],
  [['rollback', '4', '--yes']],
  // Without a key, and undone by hashes.
  [['copy', 'notes.csv', '--into', 'notes', '--yes', '--mode', 'append']],
  [['rollback', '5', '--yes']],
  [['copy', 'parts.csv', '--into', 'parts', '--mode', 'replace', '--max-shrink', '90%', '--yes']],
  [['rollback', '6', '--yes']],
  [['copy', 'names.csv', '--into', 'fresh', '--create', '--yes']],
  [['assess', 'again.ts']],
  [['backup', 'again.ts']],
  [['check', 'again.ts']],
  [['plan', 'again.ts']],
  [['run', 'again.ts', '--yes']],
  [['validate', '8', '--pipeline', 'again.ts']],
  [['load', 'again.ts', '--yes']],
  [['swap', '9', '--pipeline', 'again.ts', '--yes']],
  [['mappings', 'old']],
  [['cleanup']],
  [['cleanup', '--execute']],
  [['status']],
];

/** What meets them in either way; the rest is asked once. */
const FEW = [
  ...COMMANDS.slice(0, 9),
  ...COMMANDS.filter(([[name]]) => ['assess', 'check', 'plan', 'cleanup'].includes(name as string)),
];

for (const [who, shadow, path, commands] of [
  [
    'shadows of everything in pg_catalog, which the path puts behind them',
    shadowEverything,
    'app, public, pg_catalog',
    COMMANDS,
  ],
  ['names of pg_catalog with types that fit better', shadowByTypes, 'app, public', FEW],
] as const)
  (commands === FEW ? test : long)(
    `no command runs what others have put on the search_path: ${who}`,
    async (t) => {
      const { database, run, witness } = await attacked(t, shadow, path);
      const met: string[] = [];
      for (const [args, code] of commands) {
        await run(args, code);
        const now = await witness();
        if (now.length > met.length)
          met.push(...now.slice(met.length).map((each) => `${args.join(' ')}: ${each}`));
      }
      assert.deepEqual(met, []);
      // What the application's own code names without a schema was found.
      assert.ok((await database.query('SELECT FROM app.audit')).length > 5);
      // Whoever is not careful meets them.
      const careless = await database.connect();
      await careless.query("SELECT 1::pg_catalog.int4 || 'kB'::pg_catalog.text");
      await careless.end();
      assert.notDeepEqual(await witness(), []);
    },
  );
