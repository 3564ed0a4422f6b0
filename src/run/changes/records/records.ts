import { COUNTS_TABLE, rowObjects } from '../../../../sinks/publish/rows/target.js';
import { type WindowPart, windowPart } from '../../../../sinks/publish/window.js';
import type { Finding } from '../../../core/pipeline.js';
import { findsByKey } from '../../../core/publish-mode.js';
import { readColumns } from '../../../db/catalog/columns.js';
import { hasRecords, undoRecordsSql } from '../../../db/ledger/records.js';
import { qualified } from '../../../db/quote.js';
import type { Columns } from '../../given/tables.js';
import type { Job } from '../../job/job.js';
import { type TrackedKind, trackedKinds } from '../../records/kinds.js';
import { Change, type Site } from '../change.js';
import type { Replace } from '../replace/replace.js';
import type { Rows } from '../rows/rows.js';
import {
  idsSql,
  needsNumbers,
  numbersSql,
  type SettledKind,
  settleSql,
  unchangedSql,
} from './records-sql.js';

/** The records of the batch: what became of each is settled with the publish of its row. */
export class SettledRecords extends Change {
  readonly question = 'records';
  #statements: readonly string[] = [];

  constructor(
    private readonly job: Job,
    private readonly rows: Rows,
    private readonly replace: Replace,
  ) {
    super();
  }

  /** Makes ready what can be done without the window's locks. */
  override async prepare(): Promise<void> {
    this.#statements = await prepareRecords(
      this.job,
      this.rows.facts,
      new Map([...this.rows.places, ...this.replace.places]),
    );
  }

  override window(parts: readonly WindowPart[]): readonly WindowPart[] {
    return [...parts, ...recordPart(this.#statements, this.rows.late)];
  }
}

/** Records of what a rollback takes back are rolled back with it. */
export class SettledRecordsUndo extends Change {
  readonly question = 'records';
  #statements: readonly string[] = [];

  constructor(
    private readonly site: Site,
    private readonly batch: string,
    private readonly tables: readonly { readonly schema: string; readonly table: string }[],
  ) {
    super();
  }

  override async survey(): Promise<Finding[]> {
    const any = await hasRecords(this.site.database, this.batch);
    this.#statements = any ? [undoRecordsSql(this.batch, this.tables)] : [];
    return [];
  }

  override window(parts: readonly WindowPart[]): readonly WindowPart[] {
    return [...parts, ...recordPart(this.#statements, false)];
  }
}

/** What a publish is to say of the records of its batch, as statements of its transaction; none where it has none. */
async function prepareRecords(job: Job, rows: Rows['facts'], places: Rows['places']): Promise<string[]> {
  const { database } = job.options;
  const columns: Columns = new Map();
  for (const { target, schema, table } of job.tables)
    columns.set(target, await readColumns(database, schema, table));
  const kinds = trackedKinds(job, columns);
  if (kinds.length === 0) return [];
  await completeIds(job, kinds);
  const statements: string[] = [];
  if (job.kept === 'all')
    for (const [at, kind] of kinds.entries()) {
      const settled = settledKind(job, kind, at + 1, rows, places, columns);
      if (needsNumbers(settled)) for (const statement of numbersSql(settled)) await database.query(statement);
      statements.push(...settleSql(settled));
    }
  const changed = [...rows.keys()].flatMap((target) => {
    const table = kinds.find((kind) => kind.table.target === target)?.table;
    const left = target.mode !== 'append' || rows.get(target)?.target.allowSuppressed === true;
    return table === undefined || !left ? [] : [table];
  });
  if (changed.length > 0)
    statements.push(unchangedSql(job.batch as string, qualified(job.names.old, COUNTS_TABLE), changed));
  return statements;
}

/** Sees to it that records of a complete load have the ids that their rows were loaded with. */
export async function completeIds(job: Job, kinds: readonly TrackedKind[]): Promise<void> {
  if (job.kept !== 'all') return;
  for (const { input, model, targetId, idLoaded } of kinds)
    if (targetId !== undefined && idLoaded)
      await job.options.database.query(idsSql({ batch: job.batch as string, input, model }, targetId));
}

/** `statements` as the last part of a window: after all row changes, before the locks that keep readers out. */
function recordPart(statements: readonly string[], late: boolean): WindowPart[] {
  if (statements.length === 0) return [];
  return [windowPart('sluice.migration_record', late ? { late: statements } : { early: statements })];
}

function settledKind(
  job: Job,
  kind: TrackedKind,
  at: number,
  rows: Rows['facts'],
  places: Rows['places'],
  columns: Columns,
): SettledKind {
  const { table, targetId } = kind;
  const { target } = table;
  const facts = rows.get(target);
  const place = places.get(target);
  const known = columns.get(target) ?? [];
  const key = kind.key.flatMap((name) => {
    const column =
      facts?.live.columns.find((each) => each.name === name) ?? known.find((each) => each.name === name);
    if (column === undefined) return [];
    const equality = 'equality' in column ? column.equality : '=';
    return equality === null ? [] : [{ name, type: column.type, equality }];
  });
  // Of an append whose key live gives nobody can tell which rows were written.
  const suppressing =
    facts?.target.allowSuppressed === true &&
    kind.key.every((name) => facts.key.some((each) => each.name === name && facts.loaded.includes(each)));
  const objects =
    facts === undefined
      ? undefined
      : rowObjects(facts.target, { staging: job.names.staging, undo: job.names.old });
  return {
    at,
    batch: job.batch as string,
    staging: job.names.staging,
    input: kind.input,
    table: { schema: table.schema, table: table.table },
    model: kind.model,
    live: qualified(table.schema, table.table),
    staged: facts === undefined && place !== undefined ? qualified(place.schema, place.table) : undefined,
    written: findsByKey(target.mode) || suppressing ? objects?.written : undefined,
    counts: qualified(job.names.old, COUNTS_TABLE),
    suppressing,
    key: key.length === kind.key.length ? key : [],
    hidden: kind.hiddenKey.length > 0,
    targetId,
    idLoaded: kind.idLoaded,
  };
}
