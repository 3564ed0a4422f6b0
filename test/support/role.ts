import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import pg from 'pg';
import { serverUrl } from './database.js';

/** A role without any right, for the test `t`. Call it after testDatabase: it goes once the database has gone. */
export async function testRole(t: TestContext): Promise<string> {
  const role = `r_${randomBytes(6).toString('hex')}`;
  const run = async (sql: string) => {
    const client = new pg.Client({ connectionString: await serverUrl() });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  await run(`CREATE ROLE ${role}`);
  // A database that is kept after a failure still refers to the role.
  t.after(() => run(`DROP ROLE ${role}`).catch(() => t.diagnostic(`role ${role} is kept, too`)));
  return role;
}
