import { dropEmptySchema } from '../../../sinks/publish/replace/discard.js';
import { stripTable } from '../../../sinks/publish/replace/strip.js';
import { returnRetained } from '../../../sinks/publish/replace/undo.js';
import { command, type Next } from '../../core/next.js';
import type { PgDatabase } from '../../db/connect.js';
import { type Batch, holdBatch, listInterrupted, noteBatch, releaseBatch } from '../../db/ledger/batches.js';
import { TIDY } from '../../db/ledger/publish-sql.js';
import { findKept } from '../../db/ledger/published.js';
import { ownSchemas } from '../../db/own-schemas.js';
import { tidyCompatibility } from '../changes/old-names.js';
import { discardOwn, letGoOwn } from '../changes/schemas.js';
import { disarm, guardOf } from '../changes/write-guard/write-guard.js';
import { namesOf, undoNames } from '../given/batch-names.js';
import { cleanUp } from '../given/cleanup-command.js';
import type { Events } from '../given/events.js';
import { publishing, resuming } from '../given/next-command.js';

/**
 * Resolves what happened to batches whose process is gone, and takes what they left off the live tables:
 * their guards, keys towards their staging, the old tables' own keys and triggers. The ledger's record commits
 * with a publish, so it says which were published. Staging stays, for `swap` or `cleanup`. Tells what it
 * did, and how to resume a load that can be resumed: its guard stays, too. `except`: the batch that is
 * resumed now. What it cannot do now is told, too, and left to the next command.
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
    await letGoOwn(database, namesOf(id));
    if (batch.resumable)
      return {
        said: `${said}; nothing of it is live`,
        next: [resuming(batch, { note: 'resumes it' }), cleanUp()],
      };
    await disarm(database, guardOf(id));
    return { said: `${said}; nothing of it is live`, next: cleanUp() };
  }
  if (batch.status === 'staged') {
    await letGoOwn(database, namesOf(id));
    await noteBatch(database, id, { phase: null });
    return {
      said: `${said} before its publish committed; nothing of it is live, and it is still staged`,
      next: publishing(batch, { note: 'publish it' }),
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
      database.patience,
    );
    await disarm(database, guardOf(`undo_${id}`));
    await noteBatch(database, id, { phase: null });
    return {
      said: `${said} while it was rolled back; the rollback did not commit, and what it published is live`,
      next: command('rollback', [id]),
    };
  }
  for (const each of kept) await stripTable(client, { ...each, table: each.table_name }, database.patience);
  await discardOwn(database, { batch: id, staging: namesOf(id).staging });
  for (const { schema } of await ownSchemas(database, id, undo.staging))
    await dropEmptySchema(client, schema, database.patience);
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
