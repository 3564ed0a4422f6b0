import type { SurveyedNames } from '../../sinks/compatibility/index.js';
import type { Refusal } from '../../sinks/replace/refusals.js';
import { type Survey, surveyReplace } from '../../sinks/replace/survey.js';
import { surveyRows } from '../../sinks/rows/survey.js';
import type { RowTableFacts } from '../../sinks/rows/target.js';
import type { Finding } from '../core/pipeline.js';
import type { Target } from '../core/target.js';
import { surveyCompatibility } from './compatibility.js';
import type { Job } from './job.js';
import type { Plan } from './plan.js';

/** What the catalog says about publishing the tables of a job, by mode. */
export interface Surveyed {
  /** Of the tables that are replaced; undefined where none is. */
  readonly replace: Survey | undefined;
  /** Of the tables whose rows are changed. */
  readonly rows: ReadonlyMap<Target, RowTableFacts>;
  /** Of the views under old names; undefined where the pipeline declares none. */
  readonly oldNames: SurveyedNames | undefined;
  readonly carried: Plan['carried'];
  readonly refusals: readonly Finding[];
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
          replaced.map(({ schema, table }) => ({ schema, table })),
        );
  const rows = new Map<Target, RowTableFacts>();
  for (const { target, schema, table, missing: isMissing } of job.tables) {
    // Of a table that is not there yet nothing can be surveyed; the run does it once it is.
    if (isMissing === true) continue;
    const { mode, key, missing, missingRows } = target;
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
        ...(missingRows === undefined ? {} : { missingRows }),
      }),
    );
  }
  return {
    replace,
    rows,
    oldNames: await surveyCompatibility(job),
    carried: replace?.carried ?? [],
    refusals: refusalFindings(replace?.refusals ?? []),
  };
}

/** What stands against replacing tables, as findings of a check. */
export function refusalFindings(refusals: readonly Refusal[]): Finding[] {
  return refusals.map((refusal) => ({
    severity: 'error',
    message:
      refusal.object === refusal.table
        ? `${refusal.table} cannot be replaced: ${refusal.reason}`
        : `${refusal.table} cannot be replaced: ${refusal.object}: ${refusal.reason}`,
    next: refusal.wayOut,
  }));
}
