import type { SurveyedNames } from '../../../sinks/publish/compat-views/index.js';
import { surveyReplace } from '../../../sinks/publish/replace/survey.js';
import type { Survey } from '../../../sinks/publish/replace/surveyed.js';
import { surveyRows } from '../../../sinks/publish/rows/survey.js';
import type { RowTableFacts } from '../../../sinks/publish/rows/target.js';
import type { Finding } from '../../core/pipeline.js';
import type { Target } from '../../core/target.js';
import type { Plan } from '../given/plan.js';
import type { Job } from '../job/job.js';
import { surveyCompatibility } from './compat-views.js';
import { type Refused, withSync } from './sync-instead.js';

/** What the catalog says about publishing the tables of a job, by mode. */
export interface Surveyed {
  /** Of the tables that are replaced; undefined where none is. */
  readonly replace: Survey | undefined;
  /** Of the tables whose rows are changed. */
  readonly rows: ReadonlyMap<Target, RowTableFacts>;
  /** Of the views under old names; undefined where the pipeline declares none. */
  readonly oldNames: SurveyedNames | undefined;
  readonly carried: Plan['carried'];
  /** Why tables cannot be replaced, with all that can be done. */
  readonly refused: readonly Refused[];
  /** The same as findings. */
  readonly refusals: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/** Surveys the tables; nothing is written and no lock taken but on catalogs. */
export async function surveyTables(job: Job): Promise<Surveyed> {
  const client = await job.options.database.session();
  const replaced = job.tables.filter((table) => table.target.mode === 'replace' && table.missing !== true);
  const replace =
    replaced.length === 0
      ? undefined
      : await surveyReplace(
          client,
          replaced.map(({ schema, table, target }) => ({
            schema,
            table,
            rewriteOids: job.options.rewriteOids ?? target.rewriteOids ?? false,
          })),
        );
  const refused = await withSync(client, replace?.refusals ?? [], replaced);
  const rows = new Map<Target, RowTableFacts>();
  for (const { target, schema, table, missing: isMissing } of job.tables) {
    // Of a table that is not there yet nothing can be surveyed; the run does it once it is.
    if (isMissing === true) continue;
    const { mode, key, missing } = target;
    const noTriggers = job.options.noTriggers ?? target.noTriggers;
    const allowSuppressed = job.options.allowSuppressed ?? target.allowSuppressed;
    if (mode === 'replace') continue;
    rows.set(
      target,
      await surveyRows(client, {
        schema,
        table,
        mode,
        columns: target.columns ?? [],
        ...(key === undefined ? {} : { key }),
        ...(noTriggers === undefined ? {} : { noTriggers }),
        ...(allowSuppressed === undefined ? {} : { allowSuppressed }),
        ...(missing === undefined ? {} : { missing }),
      }),
    );
  }
  return {
    replace,
    rows,
    oldNames: await surveyCompatibility(job),
    carried: replace?.carried ?? [],
    refused,
    refusals: refusalFindings(refused),
    warnings: replace === undefined ? [] : unreadFindings(replace),
  };
}

/** What may keep OIDs of the tables and could not be asked. */
function unreadFindings({ keptOids }: Survey): Finding[] {
  return keptOids.unread.map((column) => ({
    severity: 'warning',
    message: `not looked through for OIDs of the tables that are replaced, which it may keep as data: ${column}`,
    next: 'see to it that no row there names them, or that such rows are corrected afterwards',
  }));
}

/** Why tables cannot be replaced, as a check says it. */
export function refusalFindings(refused: readonly Refused[]): Finding[] {
  return refused.map((refusal) => ({
    severity: 'error',
    message:
      refusal.object === refusal.table
        ? `${refusal.table} cannot be replaced: ${refusal.reason}`
        : `${refusal.table} cannot be replaced: ${refusal.object}: ${refusal.reason}`,
    next: refusal.next,
  }));
}
