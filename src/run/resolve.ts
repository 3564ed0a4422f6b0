import { discardStaging, dropEmptySchema, dropKeysTowards } from '../../sinks/replace/discard.js';
import { stripTable } from '../../sinks/replace/strip.js';
import { returnRetained } from '../../sinks/replace/undo.js';
import { command, type Next } from '../core/next.js';
import type { PgDatabase } from '../db/connect.js';
import { type Batch, holdBatch, listInterrupted, noteBatch, releaseBatch } from '../db/ledger/batches.js';
import { TIDY } from '../db/ledger/publish-sql.js';
import { findKept } from '../db/ledger/published.js';
import { resuming } from './again.js';
import { cleanUp } from './clean-up.js';
import { tidyCompatibility } from './compatibility.js';
import { disarm, guardOf } from './guard.js';
import type { Events } from './options.js';
import { undoNames } from './undo-names.js';

/**
 * Resolves what happened to batches whose process is gone, and takes what they left off the live tables:
 * their guards, keys towards their staging, the old tables' own keys and triggers. The ledger's record commits
 * with a publish, so it says which were published. Staging stays, for `swap` or `cleanup`. Tells what it
 * did, and how to go on with a load that can be gone on with: its guard stays, too. `except`: the batch that is
 * gone on with now. What it cannot do now is told, too, and left to the next command.
 */
export async function resolveInterrupted(
  database: PgDatabase,
  events: Events | undefined,
  except?: string,
): Promise<void> {
  for (const batch of await listInterrupted(database)) {
    if (batch.id === except) continue;
    try {
      await holdBatch(database, batch.id);
    } catch {
      continue;
    }
    try {
      const { said, next } = await resolve(database, batch);
      events?.warn?.(said, next);
    } catch (error) {
      events?.warn?.(
        `batch ${batch.id} (${batch.pipeline}) was interrupted, and what it left could not be tidied up: ${(error as Error).message}`,
      );
    } finally {
      await releaseBatch(database, batch.id);
    }
  }
}

/** What became of a batch, in a sentence, and what to do about that. */
interface Resolved {
  readonly said: string;
  readonly next?: Next;
}

/** Resolves it. */
async function resolve(database: PgDatabase, batch: Batch): Promise<Resolved> {
  const client = await database.session();
  const { id } = batch;
  const said = `batch ${id} (${batch.pipeline}) was interrupted`;
  const kept = await findKept(database, id);
  if (batch.status === 'pending' || batch.status === 'running') {
    await releaseLive(database, batch.staging_schema);
    if (batch.resumable)
      return {
        said: `${said}; nothing of it is live`,
        next: [resuming(batch, { note: 'goes on with it' }), cleanUp()],
      };
    await disarm(database, guardOf(id));
    return { said: `${said}; nothing of it is live`, next: cleanUp() };
  }
  if (batch.status === 'staged') {
    await releaseLive(database, batch.staging_schema);
    await noteBatch(database, id, { phase: null });
    return {
      said: `${said} before its publish committed; nothing of it is live, and it is still staged`,
      next: command('swap', [id], {}, { note: 'publish it' }),
    };
  }
  const undo = undoNames(id);
  if (batch.phase !== TIDY) {
    // An undo that did not commit: the kept tables go back to where they are kept.
    const adopted = kept.filter((each) => each.schema !== each.retained_schema);
    await returnRetained(
      client,
      adopted.map((each) => ({
        target: { schema: each.table_schema, table: each.table_name, oid: 0 },
        schema: each.schema,
        table: each.table_name,
        oid: each.oid,
        columns: [],
      })),
      kept.map((each) => ({
        target: { schema: each.table_schema, table: each.table_name },
        schema: each.retained_schema,
        table: each.table_name,
        oid: each.oid,
      })),
      undo,
    );
    await disarm(database, guardOf(`undo_${id}`));
    await noteBatch(database, id, { phase: null });
    return {
      said: `${said} while it was rolled back; the rollback did not commit, and what it published is live`,
      next: command('rollback', [id]),
    };
  }
  for (const each of kept) await stripTable(client, { ...each, table: each.table_name });
  if (batch.staging_schema !== null)
    for (const schema of await schemasLike(database, batch.staging_schema))
      await discardStaging(client, [{ schema }], { staging: schema, old: schema });
  for (const schema of await schemasLike(database, undo.staging)) await dropEmptySchema(client, schema);
  await tidyCompatibility(database, id);
  await disarm(database, guardOf(id));
  await disarm(database, guardOf(`undo_${id}`));
  await noteBatch(database, id, { phase: null });
  return {
    said:
      batch.status === 'rolled_back'
        ? `${said} just after its rollback committed: it is rolled back; the rest is tidied up now`
        : `${said} just after its publish committed: it is live; the rest is tidied up now`,
  };
}

/** Keys of live tables towards the batch's staging go. */
async function releaseLive(database: PgDatabase, staging: string | null): Promise<void> {
  if (staging === null) return;
  const client = await database.session();
  for (const schema of await schemasLike(database, staging)) await dropKeysTowards(client, schema);
}

/** The schemas that a batch has made from one name: the name itself, `_2`, … */
export async function schemasLike(database: PgDatabase, name: string): Promise<string[]> {
  const found = await database.query<{ nspname: string }>(
    `SELECT nspname FROM pg_namespace WHERE nspname = $1 OR (starts_with(nspname, $1 || '_') AND substr(nspname, length($1) + 2) ~ '^[0-9]+$') ORDER BY 1`,
    [name],
  );
  return found.map(({ nspname }) => nspname);
}
