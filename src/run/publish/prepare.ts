import type { SurveyedNames } from '../../../sinks/publish/compat-views/index.js';
import { type FinishedTable, finishStaging } from '../../../sinks/publish/replace/finish.js';
import { surveyReplace } from '../../../sinks/publish/replace/survey.js';
import type { Survey } from '../../../sinks/publish/replace/surveyed.js';
import { precheckRows } from '../../../sinks/publish/rows/precheck.js';
import { type FlowAccount, totals } from '../../core/accounting.js';
import type { Target } from '../../core/target.js';
import { withRoom } from '../../db/connect.js';
import { PINNED_BESIDE_CODE } from '../../db/pinned.js';
import { surveyCompatibility } from '../changes/compat-views.js';
import { prepareRecords } from '../changes/records.js';
import type { Staged } from '../changes/staging.js';
import type { Surveyed } from '../changes/survey.js';
import { type PlannedView, planViews } from '../changes/views.js';
import { assertStillReplaceable } from '../check/check.js';
import { spareWriterSession } from '../given/load-session.js';
import type { Job } from '../job/job.js';
import { tellKept } from './kept-gone.js';

/** Staging that is ready to be published. */
export interface Prepared {
  /** A survey taken after the load; undefined where nothing is replaced. */
  readonly replace: { readonly survey: Survey; readonly tables: readonly FinishedTable[] } | undefined;
  readonly rows: Surveyed['rows'];
  readonly oldNames: SurveyedNames | undefined;
  /** Rows that the load has handed over, by target; left out of a plan, for which none was. */
  readonly handed?: ReadonlyMap<Target, number>;
  /** Rows in staging, by target. */
  readonly loaded: ReadonlyMap<Target, number>;
  readonly views: readonly PlannedView[];
  /** What the publish is to say of the batch's records; statements. */
  readonly records: readonly string[];
}

/**
 * Makes staging ready: counts it against what was handed over, builds indexes and keys, checks foreign keys
 * both ways, and asks what only the database can say of rows that will be merged or patched.
 */
export async function prepare(
  job: Job,
  surveyed: Surveyed,
  staged: Staged,
  accounts: readonly FlowAccount[],
): Promise<Prepared> {
  const { database } = job.options;
  const client = await database.session();
  const loaded = loadedRows(job, accounts);
  const views = await planViews(job);
  const oldNames = await surveyCompatibility(job);
  const rows = asStaged(surveyed.rows, staged, accounts);
  await tellKept(job, rows);
  for (const [target, facts] of rows)
    await precheckRows(
      client,
      facts,
      { staging: job.names.staging, undo: job.names.old },
      job.askedOfRows.has(target),
    );
  if (surveyed.replace === undefined) {
    const records = await prepareRecords(job, rows, staged.places);
    return { replace: undefined, rows, oldNames, handed: loaded, loaded, views, records };
  }
  const survey = await surveyReplace(client, surveyed.replace.targets);
  await assertStillReplaceable(client, survey, job.tables);
  const { tables } = await finishStaging(client, survey, staged.replaced, {
    expectedRows: new Map(
      job.tables
        .filter(({ target }) => target.mode === 'replace')
        .map(({ target, schema, table }) => [`${schema}.${table}`, loaded.get(target) ?? 0]),
    ),
    patience: database.patience,
    onProgress: (text) => job.options.log.info(text),
    connect: async () => {
      const more = await spareWriterSession(database, job.batch as string, 'indexes', PINNED_BESIDE_CODE);
      return more === undefined ? undefined : withRoom(more);
    },
  });
  const records = await prepareRecords(job, rows, staged.places);
  return { replace: { survey, tables }, rows, oldNames, handed: loaded, loaded, views, records };
}

/**
 * The tables whose rows are changed, as their staging is: it may have been made when live was another. Where rows were
 * rejected, a sync deletes nothing: a row of live that staging lacks may be one of those, whose key nobody may have read.
 */
export function asStaged(
  rows: Surveyed['rows'],
  { places }: Pick<Staged, 'places'>,
  accounts: readonly FlowAccount[],
): Surveyed['rows'] {
  const keepGone = totals(accounts).rejected > 0;
  return new Map(
    [...rows].map(([target, facts]) => [
      target,
      {
        ...facts,
        numbered: places.get(target)?.numbered === true,
        ...(keepGone ? { target: { ...facts.target, keepGone } } : {}),
      },
    ]),
  );
}

/** Rows handed to each table, over all flows. */
export function loadedRows(job: Job, accounts: readonly FlowAccount[]): Map<Target, number> {
  const loaded = new Map<Target, number>(job.tables.map(({ target }) => [target, 0]));
  for (const { sinks } of accounts) {
    for (const { sink, handed } of sinks) {
      const target = job.tables.find((table) => table.target.table === sink)?.target;
      if (target !== undefined) loaded.set(target, (loaded.get(target) ?? 0) + handed);
    }
  }
  return loaded;
}
