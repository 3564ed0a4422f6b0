import { COUNTS_TABLE } from '../../../sinks/publish/rows/target.js';
import { type FlowAccount, sum, tallyAll, totals } from '../../core/accounting.js';
import type { RecordSummary, RecordTypeSummary } from '../../core/record-summary.js';
import { batchCounts } from '../../db/ledger/batches.js';
import { qualified } from '../../db/quote.js';
import type { Checked } from '../check/check.js';
import type { Job } from '../job/job.js';
import { kindsOfFlows, trackedKinds } from '../records/kinds.js';

/** Why a record is skipped whose row the publish left as it was. */
const UNCHANGED = 'unchanged';

/** Tells the job what became of the records by type, out of the accounts of its flows, and the errors met most. */
export function summariseRecords(job: Job, checked: Pick<Checked, 'flows' | 'columns'>): void {
  const kinds = kindsOfFlows(job, checked.flows, trackedKinds(job, checked.columns));
  const types = new Map<string, RecordTypeSummary>();
  for (const [at, kind] of kinds.entries()) {
    const account = job.state.accounts[at];
    if (kind === undefined || account === undefined) continue;
    types.set(kind.type, added(types.get(kind.type), ofFlow(kind.type, account)));
  }
  job.state.records = { types: [...types.values()], errors: job.rejects.frequent.top() };
}

function ofFlow(type: string, account: FlowAccount): RecordTypeSummary {
  const { read, rejected, rejectReasons } = totals([account]);
  const skips: Record<string, number> = {};
  for (const { branch, skipped, merged } of account.stages)
    if (branch === '') tallyAll(skips, skipped, merged);
  const error = Math.min(read, rejected);
  const skipped = Math.min(read - error, sum(skips));
  return { type, total: read, success: read - error - skipped, error, skipped, errors: rejectReasons, skips };
}

function added(a: RecordTypeSummary | undefined, b: RecordTypeSummary): RecordTypeSummary {
  if (a === undefined) return b;
  return {
    type: a.type,
    total: a.total + b.total,
    success: a.success + b.success,
    error: a.error + b.error,
    skipped: a.skipped + b.skipped,
    errors: tallyAll({}, a.errors, b.errors),
    skips: tallyAll({}, a.skips, b.skips),
  };
}

/** The same once it is published: records whose rows the publish left as they were are skipped. */
export async function publishedRecords(job: Job, summary: RecordSummary): Promise<RecordSummary> {
  const { pipeline, tables, options, names } = job;
  if (summary.types.length === 0) return summary;
  const left = new Map<string, Left>();
  for (const [input, { type, table: name = input }] of Object.entries(pipeline.records ?? {})) {
    const table = tables.find((each) => each.name === name);
    if (table === undefined || table.target.mode === 'replace') continue;
    const [counted] = await options.database.query<Left & Record<string, unknown>>(
      `SELECT (unchanged + missing)::float8 AS unchanged, suppressed::float8 FROM ${qualified(names.old, COUNTS_TABLE)} WHERE schema_name = $1 AND table_name = $2`,
      [table.schema, table.table],
    );
    const before = left.get(type) ?? NONE;
    left.set(type, {
      unchanged: before.unchanged + (counted?.unchanged ?? 0),
      suppressed: before.suppressed + (counted?.suppressed ?? 0),
    });
  }
  const types = summary.types.map((each) => {
    const { unchanged, suppressed } = left.get(each.type) ?? NONE;
    const rows = Math.min(each.success, unchanged + suppressed);
    if (rows === 0) return each;
    const skips = {
      ...(unchanged === 0 ? {} : { [UNCHANGED]: Math.min(rows, unchanged) }),
      ...(rows > unchanged ? { suppressed: rows - unchanged } : {}),
    };
    return {
      ...each,
      success: each.success - rows,
      skipped: each.skipped + rows,
      skips: tallyAll({}, each.skips, skips),
    };
  });
  return { ...summary, types };
}

/** Rows of a record type that a publish did not write. */
interface Left {
  readonly unchanged: number;
  readonly suppressed: number;
}

const NONE: Left = { unchanged: 0, suppressed: 0 };

/** The same of a run that found live to hold just these rows. */
export function unchangedRecords(summary: RecordSummary): RecordSummary {
  const types = summary.types.map((each) =>
    each.success === 0
      ? each
      : {
          ...each,
          success: 0,
          skipped: each.skipped + each.success,
          skips: tallyAll({}, each.skips, { [UNCHANGED]: each.success }),
        },
  );
  return { ...summary, types };
}

/** The counts of the batch: of its records, where every row that was read is one, else of its rows. */
export function countsOf(
  { types }: RecordSummary,
  accounts: readonly FlowAccount[],
): Readonly<Record<string, number>> {
  const rows = totals(accounts);
  const total = types.reduce((all, each) => all + each.total, 0);
  if (types.length === 0 || total !== rows.read) return batchCounts(rows);
  const of = (count: 'success' | 'error' | 'skipped') => types.reduce((all, each) => all + each[count], 0);
  return {
    total_records: total,
    processed_records: total,
    success_count: of('success'),
    error_count: of('error'),
    skip_count: of('skipped'),
  };
}
