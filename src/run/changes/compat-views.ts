import {
  compatibilitySchema,
  hasWriter,
  type SurveyedNames,
  surveyNames,
  viewParts,
} from '../../../sinks/publish/compat-views/index.js';
import type { WindowPart } from '../../../sinks/publish/window.js';
import { rollbackErrors } from '../../core/errors/catalogue/rollback.js';
import type { Finding } from '../../core/pipeline.js';
import type { PgDatabase } from '../../db/connect.js';
import { type LedgerView, standingViews, viewsSql } from '../../db/ledger/views.js';
import { noteSchemasSql } from '../../db/own-schemas.js';
import { checkContext } from '../job/contexts.js';
import { type Job, NO_BATCH } from '../job/job.js';
import { dropOwnEmpty } from './discard.js';

/** Looks where the pipeline's compatibility views go; undefined where it declares none. Reads only. */
export async function surveyCompatibility(job: Job): Promise<SurveyedNames | undefined> {
  const { pipeline, options } = job;
  if (pipeline.compatibility === undefined) return undefined;
  const views = pipeline.compatibility.views(checkContext(job));
  const ours = new Set((await standingViews(options.database)).map(({ oid }) => oid));
  const { schemas } = await options.database.usersPath();
  return surveyNames(await options.database.session(), views, ours, schemas);
}

/** What stands against the views, as findings of the check. */
export function compatibilityFindings(surveyed: SurveyedNames | undefined): Finding[] {
  return [...(surveyed?.concerns ?? [])];
}

/** The views' parts of the window; put behind those of the tables. */
export function compatibilityParts(job: Job, surveyed: SurveyedNames | undefined): WindowPart[] {
  const { compatibility } = job.pipeline;
  if (surveyed === undefined || compatibility === undefined) return [];
  const { old, new: next } = compatibility.versions;
  return viewParts(
    surveyed.names,
    job.batch ?? NO_BATCH,
    `${old} of ${job.pipeline.name}, over the tables of ${next}; made by batch ${job.batch ?? NO_BATCH} of Sluice, and gone with its rollback`,
  );
}

/** The ledger's record of the views, for the same transaction. */
export function compatibilityRecords(job: Job, surveyed: SurveyedNames | undefined): string[] {
  const batch = job.batch ?? '0';
  const schema = compatibilitySchema(job.batch ?? NO_BATCH);
  const views = viewsSql(
    batch,
    (surveyed?.names ?? []).map(({ view, schema: home, table }) => ({
      schema: home,
      name: view.name,
      kept: table === undefined ? null : { schema, oid: table.oid },
      writes: hasWriter(view),
    })),
  );
  return views.length === 0 ? [] : [...views, noteSchemasSql(batch, [schema])];
}

/** Drops what the views of a batch that is rolled back leave: an empty schema. */
export async function tidyCompatibility(database: PgDatabase, batch: string): Promise<void> {
  await dropOwnEmpty(database, batch, compatibilitySchema(batch)).catch(() => false);
}

/** Throws `not_kept` where an old table that would take a view's name again was dropped. */
export function assertOldKept(views: readonly LedgerView[]): void {
  const gone = views.filter((view) => view.kept !== null && view.dropped_at !== null);
  if (gone.length === 0) return;
  throw rollbackErrors.not_kept.behindViews({ details: gone.map(({ schema, name }) => `${schema}.${name}`) });
}

/** Throws `views_in_use` where something was built on the views, which would go with them. */
export async function assertViewsFree(database: PgDatabase, views: readonly LedgerView[]): Promise<void> {
  const built = await database.query<{ view: string; by: string }>(
    `SELECT DISTINCT d.refobjid::regclass::text AS view, pg_describe_object(d.classid, d.objid, 0) AS by
     FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY ($1::oid[]) AND d.deptype = 'n'
       AND NOT (d.classid = 'pg_rewrite'::regclass AND d.objid IN (SELECT oid FROM pg_rewrite WHERE ev_class = d.refobjid))
     ORDER BY 1, 2`,
    [views.map(({ oid }) => oid)],
  );
  if (built.length === 0) return;
  throw rollbackErrors.views_in_use({ details: built.map(({ view, by }) => `${view}: ${by}`) });
}
