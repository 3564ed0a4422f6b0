import type { Client } from 'pg';
import { stripOld } from '../../../sinks/publish/replace/strip.js';
import { PINNED_BESIDE_CODE } from '../../db/pinned.js';
import { qualified } from '../../db/quote.js';
import { pathStatement } from '../../db/users-path.js';
import { discardOwn } from '../changes/discard.js';
import type { Job } from '../job/job.js';
import type { Prepared } from './prepare.js';

/**
 * What a publish leaves to be tidied up: the old tables must block nobody, and the staging schema is empty. A
 * failure here loses nothing.
 */
export async function tidy(
  job: {
    readonly options: Pick<Job['options'], 'database' | 'events' | 'signal'>;
    readonly names: Job['names'];
  },
  prepared: Pick<Prepared, 'replace'>,
): Promise<void> {
  const client = await job.options.database.session();
  try {
    await refreshAll(job.options, prepared.replace?.survey.refresh ?? []);
    if (prepared.replace !== undefined)
      await stripOld(client, prepared.replace.survey, job.names, job.options.database.patience);
    await discardOwn(job.options.database, job.names);
  } catch (error) {
    job.options.events?.warn?.(
      `the old tables in ${job.names.old} could not be tidied up behind the publish: ${(error as Error).message}`,
    );
  }
}

/** In a session of its own: what a view reads is the application's business. */
async function refreshAll(
  options: Pick<Job['options'], 'database' | 'events' | 'signal'>,
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
  { database, events, signal }: Pick<Job['options'], 'database' | 'events' | 'signal'>,
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
