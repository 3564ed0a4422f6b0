import { COUNTS_TABLE, rowObjects } from '../../../sinks/publish/rows/target.js';
import { type WindowPart, windowPart } from '../../../sinks/publish/window.js';
import { findsByKey } from '../../core/publish-mode.js';
import { readColumns } from '../../db/catalog/columns.js';
import { qualified } from '../../db/quote.js';
import type { Columns } from '../given/tables.js';
import type { Job } from '../job/job.js';
import { type TrackedKind, trackedKinds } from '../records/kinds.js';
import {
  idsSql,
  needsNumbers,
  numbersSql,
  type SettledKind,
  settleSql,
  unchangedSql,
} from './records-sql.js';
import type { Staged } from './staging.js';
import type { Surveyed } from './survey.js';

/**
 * What a publish is to say of the records of its batch, as statements of its transaction; made ready as far as that
 * can be done without its locks. None where the pipeline declares no records.
 */
export async function prepareRecords(
  job: Job,
  rows: Surveyed['rows'],
  places: Staged['places'],
): Promise<string[]> {
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

/** `statements` as the last part of a window: behind all row changes, before the locks that keep readers out. */
export function recordPart(statements: readonly string[], late: boolean): WindowPart[] {
  if (statements.length === 0) return [];
  return [windowPart('sluice.migration_record', late ? { late: statements } : { early: statements })];
}

function settledKind(
  job: Job,
  kind: TrackedKind,
  at: number,
  rows: Surveyed['rows'],
  places: Staged['places'],
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
