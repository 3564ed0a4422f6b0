import type { StagingPlace } from '../../../sinks/load/copy/chosen.js';
import { rowsBefore } from '../../../sinks/load/encode/ordinal.js';
import { triggersMayChange } from '../../../sinks/publish/constraints/subject.js';
import type { Target } from '../../core/target.js';
import type { LoadEnd } from '../../db/ledger/segments.js';
import type { StagingTable } from '../changes/staging-table.js';
import type { Checked } from '../check/check.js';
import type { Job } from '../job/job.js';
import { endKey, tableEnds } from './flow-ends.js';

/** What reading the rows of a job builds on. */
export type ToRead = Pick<Checked, 'flows' | 'columns' | 'changes'>;

/** Where the rows of an end of a flow go. */
export interface TablePlace {
  /** The live table, without its schema. */
  readonly name: string;
  readonly staging: StagingTable;
  readonly table: StagingPlace;
}

/** The staging table of `target` for the end of the flows that `at` is. */
export function placeOf(job: Job, checked: ToRead, target: Target, at: LoadEnd): TablePlace {
  const { schema, table: name } = job.tableOf(target);
  const staging = checked.changes.places.get(target) as StagingTable;
  const ends = tableEnds(checked.flows).map(endKey);
  return {
    name,
    staging,
    table: {
      schema: staging.schema,
      table: staging.table,
      checks: staging.checks,
      liveName: `${schema}.${name}`,
      ...columnsFor(target, checked),
      onColumns: (names) => job.state.loadedColumns.set(target, names),
      ...(staging.numbered ? { numberedBehind: rowsBefore(ends.indexOf(endKey(at))) } : {}),
    },
  };
}

/** The columns that a target's staging has and its rows fill. A patch needs none but those that it names. */
export function columnsFor(target: Target, checked: ToRead) {
  const { mode, columns: wanted } = target;
  const facts = checked.changes.rows.facts.get(target);
  const known = checked.columns.get(target) ?? [];
  // A trigger may put a value where none is loaded: the publish will tell.
  const live =
    facts !== undefined && triggersMayChange(facts)
      ? known.map((column) => ({ ...column, notNull: false }))
      : known;
  return {
    columns: mode === 'patch' ? live.filter(({ name }) => wanted?.includes(name) === true) : live,
    ...(wanted === undefined ? {} : { wanted }),
  };
}

/** Whether rows have to be loaded in their order: the table numbers them as they come (identity, serial). */
export function numbersItself({
  table: { columns, wanted, numberedBehind },
}: {
  readonly table: Pick<StagingPlace, 'columns' | 'wanted' | 'numberedBehind'>;
}): boolean {
  if (numberedBehind !== undefined) return false;
  return columns.some(
    ({ name, identity, numbers }) =>
      (identity !== undefined || numbers === true) && wanted?.includes(name) !== true,
  );
}
