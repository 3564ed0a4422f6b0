import { createHash } from 'node:crypto';
import type { ClientBase, QueryResult, QueryResultRow } from 'pg';
import { OUR_PATH } from '../pinned.js';

/**
 * Runs `read` in a transaction with our search_path, so that every name the server deparses comes
 * out qualified, and ends it. The session must be idle; its settings are as before afterwards.
 */
export async function withCatalog<T>(client: ClientBase, read: () => Promise<T>): Promise<T> {
  return inTransaction(
    client,
    // A plan is made once a session: these are asked of every table, several times a run.
    // They look dear to the planner, and are not.
    [
      `SET LOCAL search_path = ${OUR_PATH}`,
      'SET LOCAL plan_cache_mode = force_generic_plan',
      'SET LOCAL jit = off',
    ],
    read,
  );
}

/** Runs `work` between BEGIN, `settings` and COMMIT; rolls back and rethrows when it fails. */
export async function inTransaction<T>(
  client: ClientBase,
  settings: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  await client.query(['BEGIN', ...settings].join('; '));
  try {
    const result = await work();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

const names = new Map<string, string>();

/** A question to the catalog that the session keeps prepared. `sql` is one of few: it is named by its hash. */
export function askCatalog<T extends QueryResultRow>(
  client: ClientBase,
  sql: string,
  parameters: readonly unknown[],
): Promise<QueryResult<T>> {
  let name = names.get(sql);
  if (name === undefined) {
    name = `sluice_${createHash('sha256').update(sql).digest('hex').slice(0, 24)}`;
    names.set(sql, name);
  }
  return client.query<T>({ name, text: sql, values: [...parameters] });
}
