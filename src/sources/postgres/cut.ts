import type { Client } from 'pg';
import { loadErrors } from '../../core/errors/catalogue/load.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import type { Cut, CutOptions, Part, PartReader, Uncut } from '../../core/parts.js';
import type { Rows } from '../../core/row.js';
import type { Run } from '../../core/run.js';
import { untilAborted } from '../../core/until-aborted.js';
import { ourDatabase } from '../../db/users-path.js';
import { type Bounds, bytesOfPart, PART_ROWS, placesOf, type RangePlace, TOO_MANY_BYTES } from '../ranges.js';
import { bytesOf, choosing, costOf, type Key, keyOf, keyRange, sampled } from './by-key.js';
import { byTid, FILES_NOW, tidCondition } from './by-tid.js';
import { bare, describeQuery, queryError } from './describe.js';
import { planOfQuery } from './plan.js';
import { type Reading, readQuery } from './read.js';
import { begin, explained, open, Sessions } from './session.js';

/** What is known of a query that may be cut. */
export interface Cuttable extends Omit<Reading, 'sql' | 'progress'> {
  readonly order?: string | undefined;
  readonly partBy?: string | undefined;
  /** About how many rows there will be. */
  readonly rows?: number | undefined;
}

/** How the parts of a query are read: by where rows lie in their table, or by ranges of a key. */
type Way =
  | { readonly tid: { readonly word: 'WHERE' | 'AND'; readonly files: string } }
  | { readonly key: Key };

/** What whoever reads a part of a query has to know. */
export interface Opening {
  /** The query's text, which may have been made for this run. */
  readonly sql: string;
  readonly way: Way;
}

/** A query that is cut, and how. */
interface Found {
  readonly way: Way;
  readonly bounds: Bounds;
  readonly said: string;
}

/** All parts together may cost the server so many times what the query costs in one piece. */
const MOST_COST = 10;

/**
 * A query cut into parts, all of the run's one snapshot: by where the rows lie, if they are those of a table one for one,
 * or by ranges of the column that its author names. Where that cannot be, or is not worth it, it is read in one piece.
 * Throws what reading it throws, and refused `not_repeatable` where known parts are none any more.
 */
export async function cutQuery(
  run: Run,
  sql: string,
  query: Cuttable,
  how: CutOptions,
): Promise<Cut | Uncut> {
  const { known } = how;
  const found = await looked(run, sql, query, how);
  if (typeof found === 'string') {
    if (known.length > 0) throw loadErrors.not_repeatable.uncut({ input: query.name, why: found });
    return { rows: (its) => readWhole(its, sql, query), why: found };
  }
  const { places, opening, said } = found;
  const reader = new QueryParts(run, query, opening);
  const byStart = new Map(known.map((part) => [part.start, part]));
  return {
    opening,
    byPlace: true,
    said: `${places.length} parts ${said}`,
    part: async (place) => reader.of(place as RangePlace),
    async *parts() {
      try {
        for (const place of places) if (byStart.get(place.start)?.pass !== true) yield reader.of(place);
      } finally {
        await reader.close();
      }
    },
    close: () => reader.close(),
  };
}

/** All of its rows. */
export function readWhole(run: Run, sql: string, query: Cuttable): Rows {
  const { rows: of } = query;
  return readQuery(run, {
    ...query,
    sql,
    progress: (rows) => run.progress({ rows, ...(of === undefined ? {} : { of }) }),
  });
}

/** Gives parts of a query that `cutQuery` has cut. */
export function queryParts(run: Run, query: Cuttable, opening: Opening): PartReader {
  const parts = new QueryParts(run, query, opening);
  return { part: async (place) => parts.of(place as RangePlace), close: () => parts.close() };
}

class QueryParts {
  readonly #sessions = new Sessions(true);

  constructor(
    private readonly run: Run,
    private readonly query: Cuttable,
    private readonly opening: Opening,
  ) {}

  of(place: RangePlace): Part {
    return { ...place, read: (run) => this.#read(run, place), note: () => place.of, release() {} };
  }

  close(): Promise<void> {
    return this.#sessions.close();
  }

  #read(run: Run, { start, of }: RangePlace): Rows {
    const { query, opening, run: told } = this;
    const { way, sql } = opening;
    const { name, rows: all } = query;
    return readQuery(run, {
      ...query,
      sql,
      part: true,
      sessions: this.#sessions,
      around: 'tid' in way ? ['', tidCondition(way.tid.word, of)] : keyRange(way.key, of),
      rowsBefore: start,
      progress(rows) {
        if (rows > PART_ROWS) throw loadErrors.part_overlong({ input: name, most: PART_ROWS });
        told.progress(all === undefined ? {} : { of: all });
      },
      // What has scanned the table keeps others from writing it anew until its transaction ends.
      ...('tid' in way ? { done: () => assertSameFiles(run, name, way.tid.files) } : {}),
    });
  }
}

/** Throws failed `table_rewritten` where the tables are no longer in the files in which they were when they were cut. */
async function assertSameFiles(run: Run, query: string, files: string): Promise<void> {
  const [now] = await ourDatabase(run.database).query<{ files: string }>(FILES_NOW, [files]);
  if (now?.files !== files) throw loadErrors.table_rewritten({ query });
}

/** Where the query is cut, or why it is not. */
async function looked(
  run: Run,
  sql: string,
  query: Cuttable,
  how: CutOptions,
): Promise<
  { readonly places: readonly RangePlace[]; readonly opening: Opening; readonly said: string } | string
> {
  const { name, order, partBy } = query;
  const { known, readers = 1 } = how;
  if (run.database.snapshot === undefined) return 'its parts would not see the same moment';
  if (known.length === 0 && readers < 2) return 'one session reads it';
  if (order !== undefined && partBy === undefined) return `it promises an order (${order})`;
  const client = await open(run, name);
  const look = async () => {
    await begin(client, run, { ...query, part: true });
    await describeQuery(client, name, sql, query.columns);
    const found = await (partBy === undefined
      ? foundByTid(client, sql, how)
      : foundByKey(client, sql, partBy, how));
    if (typeof found === 'string') return found;
    const { way, bounds, said } = found;
    return { places: await placesOf(name, bounds, known), opening: { sql, way }, said };
  };
  try {
    return await untilAborted(look(), run.signal);
  } catch (error) {
    const ours = error instanceof SluiceError || run.signal.aborted;
    throw await explained(ours ? error : queryError(error, name, sql, 0), run, name);
  } finally {
    await client.end().catch(() => {});
  }
}

async function foundByTid(client: Client, sql: string, how: CutOptions): Promise<Found | string> {
  const tid = await byTid(client, sql);
  if ('why' in tid) return tid.why;
  const { word, files, blocks, bytes, table } = tid;
  const part = bytesOfPart(bytes, how) ?? (how.known.length > 0 ? bytes + 1 : undefined);
  if (part === undefined) return 'its table is small';
  const step = Math.max(1, Math.floor((blocks * part) / Math.max(1, bytes)));
  return {
    way: { tid: { word, files } },
    bounds: {
      by: 'ctid',
      // What is behind the blocks that there are now, the snapshot does not see.
      end: String(blocks),
      nulls: false,
      async behind(after = '0') {
        const places: string[] = [];
        for (let at = Number(after) + step; at < blocks; at += step) places.push(String(at));
        return places;
      },
    },
    said: `by where rows lie in ${table}`,
  };
}

async function foundByKey(
  client: Client,
  sql: string,
  column: string,
  how: CutOptions,
): Promise<Found | string> {
  const { known, readers = 1 } = how;
  const plan = await planOfQuery(client, bare(sql));
  const unsure = choosing(plan);
  if (unsure !== undefined) return unsure;
  const found = await attempted(client, () => keyOf(client, sql, column));
  if ('why' in found) return found.why;
  const { key } = found;
  const bytes = bytesOf(plan);
  const part = bytesOfPart(bytes, how);
  if (part === undefined && known.length === 0) return 'it has few rows';
  const most = part === undefined ? 1 : Math.ceil(bytes / part);
  const bounds = {
    by: `key ${column}`,
    nulls: true,
    behind: (after: string | undefined) => sampled(client, found, most, after),
  };
  const as = { way: { key }, said: `by ranges of ${column}` };
  if (known.length > 0) return { ...as, bounds };
  for (const parts of new Set([most, Math.min(most, 2 * readers), Math.min(most, readers)])) {
    const values = await attempted(client, () => sampled(client, found, parts, undefined));
    if ('why' in values) return values.why;
    if (values.length === 0) return `there are too few values of ${column}`;
    const ranges = [
      ...values.map((to, at) => ({ to, ...(at === 0 ? {} : { from: values[at - 1] as string }) })),
      { nulls: true as const },
    ];
    const { cost, largest, whole } = await costOf(client, sql, found, ranges);
    if (whole) return `no index helps the server to find ranges of ${column}`;
    if (largest > TOO_MANY_BYTES) return `too many rows have the same ${column}, or none`;
    if (cost <= MOST_COST * plan['Total Cost'])
      return { ...as, bounds: { ...bounds, behind: async () => values } };
  }
  return `the server would read more than ${MOST_COST} times as much in parts by ${column}`;
}

/** What `ask` gives; where the server refuses it, why, and the transaction goes on. */
async function attempted<T extends object>(
  client: Client,
  ask: () => Promise<T>,
): Promise<T | { readonly why: string }> {
  await client.query('SAVEPOINT sluice_attempt');
  try {
    return await ask();
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    await client.query('ROLLBACK TO SAVEPOINT sluice_attempt');
    return { why: `the server says: ${(error as Error).message}` };
  }
}
