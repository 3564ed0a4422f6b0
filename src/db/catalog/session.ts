import type { Client } from 'pg';

/**
 * Runs `read` in a transaction with an empty search_path, so that every name the server deparses comes
 * out qualified, and ends it. The session must be idle; its settings are as before afterwards.
 */
export async function withCatalog<T>(client: Client, read: () => Promise<T>): Promise<T> {
  return inTransaction(client, ["SET LOCAL search_path = ''"], read);
}

/** Runs `work` between BEGIN, `settings` and COMMIT; rolls back and rethrows when it fails. */
export async function inTransaction<T>(
  client: Client,
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
