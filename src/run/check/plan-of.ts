import { endsOf, type FlowPlan } from '../../core/flow.js';
import type { Source } from '../../core/types.js';
import type { JobChanges } from '../changes/job-changes.js';
import { isMissing } from '../changes/views.js';
import type { RunOptions } from '../given/options.js';
import type { Plan } from '../given/plan.js';
import type { Job } from '../job/job.js';

/** Whether the run is to change live tables at once. */
function changesLive({ dryRun, rehearse, publish }: RunOptions): boolean {
  return dryRun !== true && rehearse !== true && publish !== false;
}

/** What a run would do, as it is shown before anybody agrees to it. */
export function planOf(job: Job, { replace, views, oldNames }: JobChanges, flows: readonly FlowPlan[]): Plan {
  const { pipeline, options } = job;
  return {
    pipeline: pipeline.name,
    summary: pipeline.summary,
    database: options.database.address.described,
    inputs: Object.entries(job.inputs).map(([name, source]) => ({
      name,
      from: job.resubmitted?.describe(name) ?? placeOf(source),
    })),
    tables: job.tables.map((table) => ({
      name: table.name,
      schema: table.schema,
      table: table.table,
      mode: table.target.mode,
      liveRows: table.estimatedRows,
      liveBytes: table.bytes,
      missing: table.missing ?? false,
    })),
    files: filesOf(flows),
    settings: job.settings,
    validations: (pipeline.validations ?? []).map(({ name, summary }) => ({ name, summary })),
    carried: replace.surveyed?.carried ?? [],
    warnings: changesLive(options) ? (pipeline.warnings ?? []) : [],
    views: views.planned.map((view) => ({ schema: view.schema, name: view.name, made: isMissing(view) })),
    oldNames: (oldNames.surveyed?.names ?? []).map(({ schema, view, table }) => ({
      name: `${schema}.${view.name}`,
      replaces: table !== undefined,
    })),
  };
}

/** The files and pipes that flows end in, each once. */
function filesOf(flows: readonly FlowPlan[]): string[] {
  const ends = flows.flatMap(({ root }) => endsOf(root));
  return [...new Set(ends.flatMap((end) => ('writes' in end && end.writes === 'file' ? [end.name] : [])))];
}

/** Where an input's rows come from, as a plan says it. */
function placeOf(source: Source): string {
  if (source.kind === 'query') return `the database (${source.name})`;
  if (source.kind === 'sqlite') return source.path ?? 'an SQLite file, which --source app.db names';
  return source.name === '-' ? 'stdin' : source.name;
}
