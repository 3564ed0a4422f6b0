import { rowsBefore } from '../../../sinks/load/encode/ordinal.js';
import { stagedTable } from '../../../sinks/load/staged-table.js';
import {
  copyName,
  copyStagedSql,
  makeCopy,
  type ReplacedPlace,
  replacedFacts,
} from '../../../sinks/publish/constraints/replaced.js';
import type { Subject } from '../../../sinks/publish/constraints/subject.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import type { FlowPlan } from '../../core/flow.js';
import { type Following, follow } from '../../core/follow.js';
import { changedRun } from '../../core/run.js';
import type { Target } from '../../core/target.js';
import type { Staging } from '../../core/types.js';
import { readColumns } from '../../db/catalog/columns.js';
import { PINNED_BESIDE_CODE } from '../../db/pinned.js';
import { qualified } from '../../db/quote.js';
import type { Replace } from '../changes/replace/replace.js';
import { writerSession } from '../given/load-session.js';
import type { Job } from '../job/job.js';
import { endKey, tableEnds } from '../load/flow-ends.js';
import { againOf, repeatableInputs, silent } from '../load/read-again.js';
import { placeOf } from './subjects.js';

/** A replaced table with a copy of its loaded rows that can be asked what they break. */
export interface ReplacedRows {
  readonly subject: Subject;
  readonly place: ReplacedPlace;
}

/**
 * Copies of the loaded rows of all replaced tables, which also say where they came from: staging becomes live, and has
 * no room for that. The inputs are read once more; where one cannot be (stdin, a query), the rows come out of staging,
 * and have no lines. For the case that they break something: a load that is sound does not pay for it.
 */
export async function copyReplaced(
  job: Job,
  flows: readonly FlowPlan[],
  { staged, surveyed }: Replace,
): Promise<ReplacedRows[]> {
  const client = await job.options.database.session();
  const places = new Map<Target, ReplacedPlace>();
  for (const { target: live, schema, table } of staged) {
    const target = job.tables.find(
      (each) => each.schema === live.schema && each.table === live.table,
    )?.target;
    // Of a table that Citus has the server says what breaks, not which rows do: it does not join them with others' so.
    const distributed = surveyed?.tables.find(({ oid }) => oid === live.oid)?.distribution != null;
    if (target !== undefined && !distributed)
      places.set(target, { at: placeOf(job, target), live, staged: { schema, table } });
  }
  for (const place of places.values()) await makeCopy(client, place);
  const repeated = await readOnceMore(job, flows, places);
  const replaced: ReplacedRows[] = [];
  const ends = tableEnds(flows);
  for (const [target, place] of places) {
    const columns = await loadedColumns(job, target, place);
    const rows = qualified(place.staged.schema, copyName(place));
    if (!repeated || !(await isAsMany(job, place))) {
      const before = rowsBefore(ends.findIndex((end) => end.target === target));
      for (const sql of copyStagedSql(place, columns, before)) await client.query(sql);
    }
    const facts = await replacedFacts(client, place.live, columns);
    if (facts === undefined) continue;
    const names = { staging: place.staged.schema, undo: job.names.old };
    replaced.push({ subject: { at: place.at, facts, names, rows, replaces: true }, place });
  }
  return replaced;
}

/** The columns that COPY has filled; where no load of this process has told, all that it can fill. */
async function loadedColumns(
  job: Job,
  target: Target,
  { staged }: ReplacedPlace,
): Promise<readonly string[]> {
  const told = job.state.loadedColumns.get(target);
  if (told !== undefined) return told;
  const columns = await readColumns(job.options.database, staged.schema, staged.table);
  return columns.filter(({ generated }) => generated === undefined).map(({ name }) => name);
}

async function isAsMany(job: Job, place: ReplacedPlace): Promise<boolean> {
  const count = (table: string) => `(SELECT count(*) FROM ONLY ${qualified(place.staged.schema, table)})`;
  const [row] = await job.options.database.query<{ same: boolean }>(
    `SELECT ${count(place.staged.table)} = ${count(copyName(place))} AS same`,
  );
  return row?.same === true;
}

/** Follows the flows that end in one of `places` once more, into their copies; whether that could be done. */
async function readOnceMore(
  job: Job,
  flows: readonly FlowPlan[],
  places: ReadonlyMap<Target, ReplacedPlace>,
): Promise<boolean> {
  const ends = tableEnds(flows);
  const repeatable = await repeatableInputs(job);
  const wanted = [...new Set(ends.filter(({ target }) => places.has(target)).map(({ flow }) => flow))];
  const again = wanted.map((flow) => ({ flow, plan: againOf(job, flows[flow] as FlowPlan, repeatable) }));
  if (again.some(({ plan }) => plan === undefined)) return false;
  const keys = ends.map(endKey);
  const columns = new Map<Target, Awaited<ReturnType<typeof readColumns>>>();
  for (const [target, { staged }] of places)
    columns.set(target, await readColumns(job.options.database, staged.schema, staged.table));
  const following = (flow: number): Following => ({
    signal: job.signal,
    runFor: (_counter, _input, signal) => changedRun(silent(job.checkRun()), { signal }),
    afterChunk: () => undefined,
    ...(job.options.limit === undefined ? {} : { limit: job.options.limit }),
    open: async (end, run, { branch }) => {
      const place = 'kind' in end ? places.get(end) : undefined;
      if (place === undefined || !('kind' in end)) return NOWHERE;
      return stagedTable({
        schema: place.staged.schema,
        table: copyName(place),
        liveName: `${place.live.schema}.${place.live.table}`,
        columns: columns.get(end) ?? [],
        ...(end.columns === undefined ? {} : { wanted: end.columns }),
        numberedBehind: rowsBefore(keys.indexOf(endKey({ flow, branch }))),
        onColumns: (names) => job.state.loadedColumns.set(end, names),
        connect: () =>
          writerSession(
            job.options.database,
            job.batch as string,
            `load ${place.live.table} once more`,
            PINNED_BESIDE_CODE,
          ),
      }).open(run);
    },
  });
  try {
    for (const { flow, plan } of again) await follow(plan as FlowPlan, following(flow));
    return true;
  } catch (error) {
    if (job.signal.aborted || (error instanceof SluiceError && error.kind === 'interrupted')) throw error;
    job.options.log.info('the input could not be read once more', { error: String(error) });
    return false;
  }
}

/** Stands in for every other end of the flows: what it took it has. */
const NOWHERE: Staging = {
  write: async () => {},
  close: async () => 0,
  discard: async () => {},
};
