import { discardStaging } from '../../sinks/replace/discard.js';
import { stripOld } from '../../sinks/replace/strip.js';
import { qualified } from '../db/quote.js';
import type { Job } from './job.js';
import type { Prepared } from './prepare.js';

/**
 * What a publish leaves to be tidied up: the old tables must block nobody, and the staging schema is empty. A
 * failure here loses nothing.
 */
export async function tidy(
  job: {
    readonly options: Pick<Job['options'], 'database' | 'events'>;
    readonly names: Job['names'];
    readonly tables: readonly { readonly schema: string }[];
  },
  prepared: Pick<Prepared, 'replace'>,
): Promise<void> {
  const client = await job.options.database.session();
  try {
    for (const { schema, name } of prepared.replace?.survey.refresh ?? []) {
      job.options.events?.note?.(`refreshing the materialized view ${schema}.${name}`);
      await client.query(`REFRESH MATERIALIZED VIEW ${qualified(schema, name)}`);
    }
    if (prepared.replace !== undefined) await stripOld(client, prepared.replace.survey, job.names);
    await discardStaging(client, job.tables, job.names);
  } catch (error) {
    job.options.events?.warn?.(
      `the old tables in ${job.names.old} could not be tidied up behind the publish: ${(error as Error).message}`,
    );
  }
}
