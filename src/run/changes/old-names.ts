import {
  compatibilitySchema,
  hasWriter,
  type SurveyedNames,
  surveyNames,
  undoViewParts,
  viewParts,
} from '../../../sinks/publish/compat-views/index.js';
import type { WindowPart } from '../../../sinks/publish/window.js';
import { rollbackErrors } from '../../core/errors/catalogue/rollback.js';
import type { Finding } from '../../core/pipeline.js';
import type { PgDatabase } from '../../db/connect.js';
import { type LedgerView, standingViews, viewsSql, viewsUndoneSql } from '../../db/ledger/views.js';
import { noteSchemasSql } from '../../db/own-schemas.js';
import { checkContext } from '../job/contexts.js';
import type { Job } from '../job/job.js';
import { Change, type LedgerShare, type Site } from './change.js';
import { dropOwnEmpty } from './schemas.js';

/** Looks where the pipeline's compatibility views go; undefined where it declares none. Reads only. */
async function surveyCompatibility(job: Job): Promise<SurveyedNames | undefined> {
  const { pipeline, options } = job;
  if (pipeline.compatibility === undefined) return undefined;
  const views = pipeline.compatibility.views(checkContext(job));
  const ours = new Set((await standingViews(options.database)).map(({ oid }) => oid));
  const { schemas } = await options.database.usersPath();
  return surveyNames(await options.database.session(), views, ours, schemas);
}

/** The views under the names of old tables; put after the tables that they read. */
export class OldNames extends Change {
  readonly question = 'old names';
  /** Undefined where the pipeline declares none. */
  surveyed: SurveyedNames | undefined;

  constructor(private readonly job: Job) {
    super();
  }

  get #batch(): string {
    return this.job.names.batch;
  }

  override async survey(): Promise<readonly Finding[]> {
    this.surveyed = await surveyCompatibility(this.job);
    return this.surveyed?.concerns ?? [];
  }

  override async prepare(): Promise<void> {
    this.surveyed = await surveyCompatibility(this.job);
  }

  override async isUnchanged(): Promise<boolean> {
    return (this.surveyed?.names ?? []).length === 0;
  }

  override window(parts: readonly WindowPart[]): readonly WindowPart[] {
    const { compatibility, name } = this.job.pipeline;
    if (this.surveyed === undefined || compatibility === undefined) return parts;
    const { old, new: next } = compatibility.versions;
    const described = `${old} of ${name}, over the tables of ${next}; made by batch ${this.#batch} of Sluice, and gone with its rollback`;
    return [...parts, ...viewParts(this.surveyed.names, this.#batch, described)];
  }

  override ledger(): LedgerShare {
    const batch = this.job.batch ?? '0';
    const schema = compatibilitySchema(this.#batch);
    const views = viewsSql(
      batch,
      (this.surveyed?.names ?? []).map(({ view, schema: home, table }) => ({
        schema: home,
        name: view.name,
        kept: table === undefined ? null : { schema, oid: table.oid },
        writes: hasWriter(view),
      })),
    );
    return views.length === 0 ? {} : { statements: [...views, noteSchemasSql(batch, [schema])] };
  }
}

/** Takes the views away, and puts the old tables back under their names. */
export class OldNamesUndo extends Change {
  readonly question = 'old names';

  constructor(
    private readonly site: Site,
    private readonly batch: string,
    /** Those that stand. */
    private readonly views: readonly LedgerView[],
  ) {
    super();
  }

  /** Throws refused `not_kept`, `views_in_use`. */
  override async survey(): Promise<Finding[]> {
    assertOldKept(this.views);
    await assertViewsFree(this.site.database, this.views);
    return [];
  }

  override window(parts: readonly WindowPart[]): readonly WindowPart[] {
    return [...parts, ...undoViewParts(this.views, this.batch)];
  }

  override ledger(): LedgerShare {
    return this.views.length === 0 ? {} : { statements: [viewsUndoneSql(this.batch)] };
  }

  override async tidy(): Promise<void> {
    await tidyCompatibility(this.site.database, this.batch);
  }
}

/** Drops what the views of a batch that is rolled back leave: an empty schema. */
export async function tidyCompatibility(database: PgDatabase, batch: string): Promise<void> {
  await dropOwnEmpty(database, batch, compatibilitySchema(batch)).catch(() => false);
}

/** Throws `not_kept` where an old table that would take a view's name again was dropped. */
function assertOldKept(views: readonly LedgerView[]): void {
  const gone = views.filter((view) => view.kept !== null && view.dropped_at !== null);
  if (gone.length === 0) return;
  throw rollbackErrors.not_kept.behindViews({ details: gone.map(({ schema, name }) => `${schema}.${name}`) });
}

/** Throws `views_in_use` where something was built on the views, which would go with them. */
async function assertViewsFree(database: PgDatabase, views: readonly LedgerView[]): Promise<void> {
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
