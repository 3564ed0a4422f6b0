import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { checkPipeline } from '../../../src/run/check.js';
import { dropLeftover, findLeftovers } from '../../../src/run/maintain/cleanup.js';
import { rollbackBatch } from '../../../src/run/rollback.js';
import { EMPTY, type TestDatabase, testDatabase } from '../../support/database.js';
import { engine, loads, rowsAfter } from '../../support/engine.js';
import { long } from '../../support/long.js';
import { testRole } from '../../support/role.js';
import { projectFolder } from '../../support/server.js';
import { PARTS_BY, rowsFor, SYSTEM } from '../../support/system.js';
import { thrown } from '../../support/thrown.js';
import { checksums } from '../../support/window.js';

type Mode = keyof typeof PARTS_BY;

/** The GRANTs under a heading of the documentation, for this database and these roles. */
function documented(heading: string, names: Readonly<Record<string, string>>): string[] {
  const text = readFileSync(join(projectFolder, 'docs', 'privileges.md'), 'utf8');
  const chapter = text.split(/^## /m).find((each) => each.startsWith(`${heading}\n`)) ?? '';
  const blocks = [...chapter.matchAll(/```sql\n([\s\S]*?)```/g)].map((match) => match[1] as string);
  assert.ok(blocks.length > 0, `docs/privileges.md has GRANTs for ${heading}`);
  return blocks
    .join('')
    .trim()
    .split('\n')
    .map((line) => line.replace(/\b(app|app_owner|migrator)\b/g, (name) => names[name] ?? name));
}

/** A system owned by one role, and another without any right that connects to it. */
async function setUp(t: TestContext): Promise<{
  database: TestDatabase;
  url: string;
  names: Readonly<Record<string, string>>;
}> {
  const database = await testDatabase(t, { template: EMPTY });
  const owner = await testRole(t);
  const migrator = await testRole(t);
  await database.query(`ALTER ROLE ${migrator} LOGIN PASSWORD 'test'`);
  await database.query(`REVOKE ALL ON SCHEMA public FROM PUBLIC; ${SYSTEM}`);
  for (const table of ['models', 'parts', 'notes', 'stock'])
    await database.query(`ALTER TABLE ${table} OWNER TO ${owner}`);
  await database.query(`GRANT USAGE ON SCHEMA public TO ${owner}`);
  const url = new URL(database.url);
  url.username = migrator;
  url.password = 'test';
  return { database, url: url.href, names: { app: database.name, app_owner: owner, migrator } };
}

const grant = async (database: TestDatabase, statements: readonly string[]) => {
  for (const statement of statements) await database.query(statement);
};

const GUARD: Record<Mode, 'journal' | 'lock'> = {
  replace: 'journal',
  append: 'journal',
  merge: 'lock',
  patch: 'lock',
};

for (const mode of ['replace', 'append', 'merge', 'patch'] as const)
  (mode === 'replace' ? test : long)(
    `a role with the documented rights and no others checks, runs, undoes and cleans up a ${mode}`,
    async (t) => {
      const { database, url, names } = await setUp(t);
      await grant(database, [...documented('All modes', names), ...documented(mode, names)]);
      if (mode === 'append' || mode === 'merge')
        await grant(database, [
          `GRANT DELETE ON parts TO ${names.migrator}`,
          `GRANT SELECT ON notes TO ${names.migrator}`,
        ]);
      if (mode === 'patch') await grant(database, [`GRANT SELECT ON notes TO ${names.migrator}`]);
      const { run, database: own, log } = engine(t, { url });
      const client = await database.connect();
      const before = await checksums(client, 'parts', 'stock');
      const of = loads({ parts: [PARTS_BY[mode], rowsFor(mode)] });
      const options = { database: own, log, guard: GUARD[mode] };
      const { findings } = await checkPipeline(of, options);
      assert.deepEqual(findings, []);
      const batch = (await run(of, options)).summary.batch as string;
      assert.notDeepEqual(await checksums(client, 'parts', 'stock'), before);
      await rollbackBatch(batch, { database: own, log });
      assert.deepEqual(await checksums(client, 'parts', 'stock'), before);
      await run(of, options);
      for (const leftover of await findLeftovers(own, 0)) await dropLeftover(own, leftover);
      assert.deepEqual(await findLeftovers(own, 0), []);
    },
  );

for (const mode of ['replace', 'append', 'merge', 'patch'] as const)
  (mode === 'replace' ? test : long)(
    `a role that lacks the rights for a ${mode} is refused by check, with the GRANTs, before a row is read`,
    async (t) => {
      const { database, url, names } = await setUp(t);
      await grant(database, [
        `GRANT CONNECT ON DATABASE ${names.app} TO ${names.migrator}`,
        `GRANT USAGE ON SCHEMA public TO ${names.migrator}`,
      ]);
      const { run } = engine(t, { url });
      const source = rowsAfter(rowsFor(mode), async () => assert.fail('a row was read'));
      const error = await thrown(run(loads({ parts: [PARTS_BY[mode], source] })));
      assert.equal(error.code, 'check_refused');
      assert.equal(error.kind, 'refused');
      const next = [error.facts.next].flat().join('\n');
      assert.match(next, new RegExp(`GRANT CREATE ON DATABASE "${names.app}" TO "${names.migrator}"`));
      if (mode !== 'append') assert.match(next, new RegExp(`GRANT "${names.app_owner}" TO`));
      const details = String(error.facts.details);
      if (mode === 'replace') assert.match(details, /whose rights the connected role lacks/);
      else assert.match(details, /this role lacks SELECT/);
      const made = await database.query("SELECT nspname FROM pg_namespace WHERE nspname ~ '^sluice'");
      assert.deepEqual(made, []);
    },
  );

test('a ledger of another role is refused by check until the documented rights on it are granted', async (t) => {
  const { database, url, names } = await setUp(t);
  const first = engine(t, database);
  await first.run(loads({ parts: [PARTS_BY.append, rowsFor('append')] }));
  await first.database.close();
  await grant(database, [...documented('All modes', names), ...documented('append', names)]);
  const { run } = engine(t, { url });
  const of = loads({ parts: [PARTS_BY.append, [{ id: 50, model_id: 1, amount: 1 }]] });
  await assert.rejects(run(of), (error: unknown) => {
    const { code, message, facts } = error as SluiceError;
    return (
      code === 'check_refused' &&
      /may not use the ledger/.test(message) &&
      /GRANT USAGE ON SCHEMA sluice/.test([facts.next].flat().join())
    );
  });
  await grant(database, documented('A ledger that another role has made', names));
  assert.equal((await run(of)).summary.status, 'completed');
});
