import { headerErrors } from '../../core/errors/catalogue/headers.js';
import { loadErrors } from '../../core/errors/catalogue/load.js';
import { queryErrors } from '../../core/errors/catalogue/query.js';
import type { Cut, CutOptions, Part, PartPlace, Uncut } from '../../core/parts.js';
import { type AnyRow, CHUNK_ROWS, type Column, type Row, type Rows, type TextRow } from '../../core/row.js';
import { changedRun, type Run } from '../../core/run.js';
import type { Source } from '../../core/types.js';
import { untilAborted } from '../../core/until-aborted.js';
import { assertDeclared } from './describe.js';
import { type GroupsPlace, placesOfGroups } from './groups.js';
import type { QueryOptions } from './index.js';
import { joiner } from './joined-rows.js';
import { KeyRange } from './key-range.js';
import { checkQuery, OpenQuery, textOf } from './open-query.js';
import type { QueryText } from './query-text.js';
import { rowParser } from './rows.js';

/** A statement of a source that may be read in parts, or what is asked for it; `range`: the part of it that is read. */
export type RangedText = string | ((run: Run, range: KeyRange) => Promise<string>);

/** How a source is cut so that groups of its rows are in one part each. */
export interface PartitionBy {
  /**
   * Columns of the outer rows whose values say which group a row is of. The ORDER BY of both queries begins with them, in
   * their order, ascending.
   */
  readonly key: readonly string[];
  /** The statement that gives every value of the key once, in that order, and `rows`: how many rows the source has of it. */
  readonly groups: QueryText;
}

export interface JoinedOptions
  extends Pick<QueryOptions, 'name' | 'columns' | 'order' | 'rows' | 'rowSecurity'> {
  /** The column of both queries that says which rows belong together; of the outer one no two rows have the same. */
  readonly on: string;
  /**
   * It may be read in parts, by several sessions: then both statements are asked for by the range of the key that each part
   * has, and put it into their WHERE.
   */
  readonly partitionBy?: PartitionBy;
}

/** Rows of a part: two sessions are opened for each. */
const PART_ROWS = 100_000;

/** Bytes that a row is taken to have, where parts are to have so many. */
const ROW_BYTES = 64;

/**
 * The rows of `outer` LEFT JOIN `inner` USING (on), as two queries in one snapshot: each outer row as often as there are
 * inner rows to it, once with nulls where there is none. Both come in the same order of outer rows (as ORDER BY says),
 * and the rows in the order of the inner ones. What the server has to read, sort and send of an outer row it does once, and
 * not once for each of its inner rows: where these are many, half of the work of the one query that joins them.
 *
 * As `query` otherwise. Throws refused `join_order` where an inner row has no outer one in its place.
 */
export function joined<const C extends string>(
  outer: RangedText,
  inner: RangedText,
  options: JoinedOptions & { readonly columns: readonly C[] },
): Source<TextRow<C>>;
/** Rows as the author says they are. */
export function joined<R extends AnyRow = Row>(
  outer: RangedText,
  inner: RangedText,
  options: JoinedOptions & { readonly columns?: readonly Column<R>[] },
): Source<R>;
export function joined(outer: RangedText, inner: RangedText, options: JoinedOptions): Source {
  const name = options.name ?? 'query';
  const { columns, order, on, partitionBy } = options;
  const reading = { ...options, name, columns: [on] };
  const textsOf = async (run: Run, range: KeyRange): Promise<Texts> => ({
    outer: await rangedText(outer, run, range),
    inner: await rangedText(inner, run, range),
  });
  async function* read(run: Run) {
    let count = 0;
    for await (const chunk of readJoined(run, await textsOf(run, new KeyRange()), reading, options)) {
      yield chunk;
      count += chunk.length;
      run.progress({ rows: count, ...(options.rows === undefined ? {} : { of: options.rows }) });
    }
  }
  const partOf = (place: GroupsPlace): Part => ({
    ...place,
    read: (run) => readPart(run, place),
    note: () => place.of,
    release() {},
  });
  async function* readPart(run: Run, { start, lines, of }: GroupsPlace): Rows {
    let count = 0;
    const texts = await textsOf(run, new KeyRange(of));
    for await (const chunk of readJoined(run, texts, reading, options, start)) {
      count += chunk.length;
      yield chunk;
    }
    if (count !== lines)
      throw queryErrors.group_rows.differ({ query: name, counted: lines, rows: count, first: start + 1 });
  }
  return {
    name,
    kind: 'query',
    sessions: 2,
    ...(columns === undefined ? {} : { columns }),
    ...(order === undefined ? {} : { order }),
    async check(run) {
      const of = await textsOf(run, new KeyRange());
      const found = [
        await checkQuery(run, of.outer, reading),
        await checkQuery(run, of.inner, reading),
      ] as const;
      assertJoined(name, ...found, options);
      if (partitionBy === undefined) return;
      const counted = { ...reading, columns: [...partitionBy.key, 'rows'] };
      await checkQuery(run, await textOf(partitionBy.groups, run), counted);
    },
    read,
    ...(partitionBy === undefined
      ? {}
      : {
          groups: [partitionBy.key, [on]],
          cut: (run: Run, how: CutOptions) => cut(run, how, partitionBy),
          partReader: async () => ({ part: async (place: PartPlace) => partOf(place as GroupsPlace) }),
        }),
  };

  async function cut(run: Run, how: CutOptions, by: PartitionBy): Promise<Cut | Uncut> {
    const { known, partBytes, readers = 1 } = how;
    const whole = (why: string) => {
      if (known.length > 0) throw loadErrors.not_repeatable.rows({ table: name, how: why });
      return { rows: (its: Run) => read(its), why };
    };
    if (run.database.snapshot === undefined) return whole('its parts would not see the same moment');
    if (readers < 2 && known.length === 0) return whole('one session reads it');
    const most = partBytes === undefined ? PART_ROWS : Math.max(1, Math.round(partBytes / ROW_BYTES));
    const sql = await textOf(by.groups, run);
    const places = await placesOfGroups(run, sql, { name, key: by.key, most });
    if (places.length < 2 && known.length === 0) return whole('it has few rows');
    const isKnown = new Map(places.map((place) => [place.start, JSON.stringify([place.end, place.of])]));
    const gone = known.find(({ start, end, note }) => isKnown.get(start) !== JSON.stringify([end, note]));
    if (gone !== undefined) return whole('its groups are others than before');
    const passed = new Set(known.filter(({ pass }) => pass).map(({ start }) => start));
    return {
      opening: null,
      byPlace: true,
      said: `${places.length} parts by ${by.key.join(', ')}`,
      part: async (place) => partOf(place as GroupsPlace),
      async *parts() {
        for (const place of places) if (!passed.has(place.start)) yield partOf(place);
      },
    };
  }
}

/** Both statements of a reading. */
interface Texts {
  readonly outer: string;
  readonly inner: string;
}

async function rangedText(sql: RangedText, run: Run, range: KeyRange): Promise<string> {
  return typeof sql === 'string' ? sql : sql(run, range);
}

/** The rows of a piece of text are handed on in chunks of so many. */
const MOST_ROWS = 2 * CHUNK_ROWS;

function assertJoined(
  name: string,
  outer: readonly string[],
  inner: readonly string[],
  { on, columns = [] }: JoinedOptions,
): void {
  const twice = inner.find((column) => column !== on && outer.includes(column));
  if (twice !== undefined) throw headerErrors.duplicate_column.query({ query: name, column: twice });
  assertDeclared(name, [...outer, ...inner], columns);
}

/** `run`, whose queries see one state of the database; one of its own where the run has none. `end` gives that up. */
async function inOneState(run: Run): Promise<{ readonly run: Run; end(): Promise<unknown> }> {
  const { database } = run;
  if (database.snapshot !== undefined) return { run, end: async () => {} };
  const client = await untilAborted(database.connect('snapshot'), run.signal, (late) => late.end());
  client.on('error', () => {});
  const end = () => client.end().catch(() => {});
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { rows } = await client.query<{ snapshot: string }>(
      'SELECT pg_catalog.pg_export_snapshot() AS snapshot',
    );
    const snapshot = async () => rows[0]?.snapshot as string;
    return { run: changedRun(run, { database: { ...database, snapshot } }), end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function* readJoined(
  anyRun: Run,
  texts: Texts,
  reading: Parameters<typeof checkQuery>[2],
  options: JoinedOptions,
  rowsBefore = 0,
): Rows {
  const { run, end } = await inOneState(anyRun);
  let outers: Outers | undefined;
  let inner: OpenQuery | undefined;
  try {
    outers = new Outers(await OpenQuery.begin(run, texts.outer, reading));
    inner = await OpenQuery.begin(run, texts.inner, reading);
    assertJoined(reading.name, outers.columns, inner.columns, options);
    const join = joiner(outers.columns, inner.columns, options.on);
    const parse = rowParser(inner.columns);
    let count = rowsBefore;
    /** Inner rows of the pieces before. */
    let inners = 0;
    let out: Row[] = [];
    let outer = await outers.next();
    /** Whether the outer row has been met by an inner one. */
    let met = false;
    for (let piece = await inner.next(); piece !== undefined; piece = await inner.next()) {
      const rows = parse(piece, 1);
      for (let at = 0; at < rows.length; ) {
        const key = (rows[at] as Row)[options.on];
        while (outer !== undefined && outer[options.on] !== key) {
          if (!met) out.push(join.alone(outer, ++count));
          met = false;
          if (out.length >= CHUNK_ROWS) {
            yield out;
            out = [];
          }
          outer = outers.at() ?? (await outers.next());
        }
        if (outer === undefined || key === null)
          throw queryErrors.join_order({ query: reading.name, on: options.on, row: inners + at + 1 });
        const before = out.length;
        at = join.rows(outer, rows, at, count + 1, out);
        count += out.length - before;
        met = true;
      }
      inners += rows.length;
      for (let at = 0; at < out.length; at += MOST_ROWS) yield out.slice(at, at + MOST_ROWS);
      out = [];
    }
    for (; outer !== undefined; outer = outers.at() ?? (await outers.next())) {
      if (!met) out.push(join.alone(outer, ++count));
      met = false;
      if (out.length < CHUNK_ROWS) continue;
      yield out;
      out = [];
    }
    if (out.length > 0) yield out;
  } finally {
    await outers?.close();
    await inner?.close();
    await end();
  }
}

/** The outer rows, one after the other. */
class Outers {
  readonly #parse: ReturnType<typeof rowParser>;
  #rows: readonly Row[] = [];
  #next = 0;

  constructor(private readonly query: OpenQuery) {
    this.#parse = rowParser(query.columns);
  }

  get columns(): readonly string[] {
    return this.query.columns;
  }

  /** The next one, where it is at hand. */
  at(): Row | undefined {
    return this.#rows[this.#next++];
  }

  /** The next one, when all that were at hand are gone; undefined where there is none. */
  async next(): Promise<Row | undefined> {
    const piece = await this.query.next();
    if (piece === undefined) return undefined;
    this.#rows = this.#parse(piece, 1);
    this.#next = 0;
    return this.at();
  }

  close(): Promise<void> {
    return this.query.close();
  }
}
