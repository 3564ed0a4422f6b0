import { sameKey } from '../../../sinks/publish/rows/sql.js';
import { type RowTableFacts, rowObjects } from '../../../sinks/publish/rows/target.js';
import { totals } from '../../core/accounting.js';
import { runErrors } from '../../core/errors/catalogue/run.js';
import { plural } from '../../core/plural.js';
import type { Database } from '../../core/run.js';
import { qualified } from '../../db/quote.js';
import { handedRows } from '../changes/handed.js';
import type { JobChanges } from '../changes/job-changes.js';
import type { LiveTable } from '../given/tables.js';
import type { Job } from '../job/job.js';

/** The share of its rows, in percent, that a table may lose where nobody says otherwise. */
const MAX_SHRINK = 50;

/** A table with more rows than this, by its statistics, is not counted only to say how many it has. */
const COUNTED = 5_000_000;

/** What is known of one table. */
interface Shrunk {
  readonly name: string;
  /** Rows now; `exactly` is false for an estimate. */
  readonly before: number;
  readonly exactly: boolean;
  readonly after: number;
  /** A table that is replaced has other rows afterwards; of one that is published by differences some are kept. */
  readonly replaced: boolean;
}

/**
 * Refuses where a table that is replaced, or whose rows are deleted where the load lacks them, would lose more of them
 * than it may: an export that broke, or a wrong file, looks just like that. To be asked once the load is complete, before
 * staging is made ready. Reads no more of a live table than decides the question: twice the rows that were loaded, by
 * default. Where nothing is staged only the number of rows tells.
 *
 * Throws refused `would_empty` where no row was loaded, unless `allowEmpty` or a `maxShrink` of 100 that the command
 * gave allow it, and `would_shrink`. Not asked where only some rows were read (`limit`): nothing is published then.
 */
export async function assertKept(job: Job, { rows, replace }: JobChanges): Promise<void> {
  const { options } = job;
  if (options.limit !== undefined) return;
  const loaded = handedRows(job);
  const mayEmpty = options.allowEmpty === true || options.maxShrink === 100;
  const emptied: string[] = [];
  const shrunk: Shrunk[] = [];
  for (const table of job.tables) {
    const { target, missing } = table;
    const replaced = target.mode === 'replace';
    if (missing === true || !(replaced || target.mode === 'sync')) continue;
    const name = `${table.schema}.${table.table}`;
    const after = loaded.get(target) ?? 0;
    // With rejects no row of it is deleted.
    if (!replaced && totals(job.state.accounts).rejected > 0) continue;
    if (after === 0 && !mayEmpty) {
      if ((await countUpTo(options.database, table, 1)) > 0) emptied.push(name);
      continue;
    }
    const share = options.maxShrink ?? target.maxShrink ?? MAX_SHRINK;
    const most = after === 0 ? Number.POSITIVE_INFINITY : mostRows(after, share);
    const before = await countUpTo(options.database, table, most + 1);
    if (before > most)
      shrunk.push({ name, replaced, after, ...(await howMany(options.database, table, most)) });
    else if (replaced) {
      // Writes that nobody is told of would make another number of it.
      if (options.dryRun === true || options.guard !== 'off') replace.liveRows.set(target, before);
    } else {
      const facts = rows.places.size === 0 ? undefined : rows.facts.get(target);
      const kept = facts === undefined ? after : await countKept(job, facts);
      if (after > 0 && before > mostRows(kept, share))
        shrunk.push({ name, replaced, after: kept, before, exactly: true });
    }
  }
  if (emptied.length > 0) throw runErrors.would_empty({ tables: emptied });
  if (shrunk.length > 0) throw tooFew(shrunk);
}

function tooFew(shrunk: readonly Shrunk[]): Error {
  const said = shrunk.map(
    ({ name, before, exactly, after, replaced }) =>
      `${name} would ${replaced ? 'have' : 'keep'} ${plural(after, 'row')} of the ${exactly ? '' : 'about '}${before} that it has now`,
  );
  const needed = Math.max(...shrunk.map(({ before, after }) => lost(before, after)));
  return runErrors.would_shrink({ first: said[0] as string, share: needed }, { details: said.slice(1) });
}

/** The most rows that a table may have now, where `after` stay and it may lose `share` percent. */
export function mostRows(after: number, share: number): number {
  // Numbers such as 33.3 have no exact form; what is a whole number but for that is meant as one.
  return share >= 100
    ? Number.POSITIVE_INFINITY
    : Math.floor(Number(((after * 100) / (100 - share)).toPrecision(14)));
}

/** The share of its rows, in percent, that a table loses: upwards to hundredths, so that as much is allowed. */
export function lost(before: number, after: number): number {
  return Math.min(100, Math.ceil(Number((((before - after) * 10_000) / before).toPrecision(14))) / 100);
}

/** How many rows a live table has; it stops at `most`. */
async function countUpTo(database: Database, table: LiveTable, most: number): Promise<number> {
  const { schema, table: name, target } = table;
  // The partitions of a table that is merged count; a table that is replaced has none.
  const from = `${target.mode === 'replace' ? 'ONLY ' : ''}${qualified(schema, name)}`;
  const bounded = Number.isFinite(most) ? `(SELECT 1 FROM ${from} LIMIT ${most})` : from;
  const [row] = await database.query<{ rows: number }>(
    `SELECT pg_catalog.count(*)::pg_catalog.float8 AS rows FROM ${bounded} l`,
  );
  return row?.rows ?? 0;
}

/** How many rows a table has that has more than `most`: counted, or from its statistics where it is large. */
async function howMany(
  database: Database,
  table: LiveTable,
  most: number,
): Promise<Pick<Shrunk, 'before' | 'exactly'>> {
  if (table.estimatedRows > COUNTED && table.estimatedRows > most)
    return { before: table.estimatedRows, exactly: false };
  return { before: await countUpTo(database, table, Number.POSITIVE_INFINITY), exactly: true };
}

/** The live rows whose key staging has. */
async function countKept(job: Job, facts: RowTableFacts): Promise<number> {
  const { live, staging } = rowObjects(facts.target, { staging: job.names.staging, undo: job.names.old });
  const [row] = await job.options.database.query<{ rows: number }>(
    `SELECT pg_catalog.count(*)::pg_catalog.float8 AS rows FROM ${live} l WHERE EXISTS (SELECT FROM ${staging} s WHERE ${sameKey(facts.key, 'l', 's')})`,
  );
  return row?.rows ?? 0;
}
