import type { Client } from 'pg';
import { PINNED_BESIDE_CODE } from '../../../db/pinned.js';
import { qualified } from '../../../db/quote.js';
import { pathStatement } from '../../../db/users-path.js';
import type { Site } from '../change.js';

/** Refreshes materialized views that read what was published, in a session of its own: what they read is the application's business. */
export async function refreshAll(
  options: Site,
  views: readonly { readonly schema: string; readonly name: string }[],
): Promise<void> {
  if (views.length === 0) return;
  const client = await options.database.connect('refresh', PINNED_BESIDE_CODE);
  try {
    await client.query(pathStatement((await options.database.usersPath()).text));
    for (const view of views) await refresh(options, client, view);
  } finally {
    await client.end();
  }
}

/**
 * Refreshes a view that reads what was published, however long that takes, unless the run is asked to stop. Where that
 * fails it is said with the statement to type, and the rest is tidied up all the same.
 */
async function refresh(
  { database, events, signal }: Site,
  client: Client,
  { schema, name }: { readonly schema: string; readonly name: string },
): Promise<void> {
  const sql = `REFRESH MATERIALIZED VIEW ${qualified(schema, name)}`;
  let cancelling = Promise.resolve();
  const cancel = () => {
    cancelling = database.stop('cancel', signal?.reason);
  };
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    signal?.throwIfAborted();
    events?.note?.(`refreshing the materialized view ${schema}.${name}`);
    await client.query(sql);
  } catch (error) {
    const why = signal?.aborted === true ? 'it was to stop' : (error as Error).message;
    events?.warn?.(`${schema}.${name} shows what was before the publish, since ${why}: ${sql}`);
  } finally {
    signal?.removeEventListener('abort', cancel);
    await cancelling;
  }
}
