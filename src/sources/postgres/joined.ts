import { headerErrors } from '../../core/errors/catalogue/headers.js';
import { queryErrors } from '../../core/errors/catalogue/query.js';
import { type AnyRow, CHUNK_ROWS, type Column, type Row, type Rows, type TextRow } from '../../core/row.js';
import { changedRun, type Run } from '../../core/run.js';
import type { Source } from '../../core/types.js';
import { untilAborted } from '../../core/until-aborted.js';
import { assertDeclared } from './describe.js';
import type { QueryOptions } from './index.js';
import { joiner } from './joined-rows.js';
import { checkQuery, OpenQuery, textOf } from './open-query.js';
import type { QueryText } from './query-text.js';
import { rowParser } from './rows.js';

export interface JoinedOptions
  extends Pick<QueryOptions, 'name' | 'columns' | 'order' | 'rows' | 'rowSecurity'> {
  /** The column of both queries that says which rows belong together; of the outer one no two rows have the same. */
  readonly on: string;
}

/**
 * The rows of `outer` LEFT JOIN `inner` USING (on), as two queries in one snapshot: each outer row as often as there are
 * inner rows to it, once with nulls where there is none. Both come in the same order of outer rows (as ORDER BY says),
 * and the rows in the order of the inner ones. What the server has to read, sort and send of an outer row it does once, and
 * not once for each of its inner rows: where these are many, half of the work of the one query that joins them.
 *
 * As `query` otherwise. Throws refused `join_order` where an inner row has no outer one in its place.
 */
export function joined<const C extends string>(
  outer: QueryText,
  inner: QueryText,
  options: JoinedOptions & { readonly columns: readonly C[] },
): Source<TextRow<C>>;
/** Rows as the author says they are. */
export function joined<R extends AnyRow = Row>(
  outer: QueryText,
  inner: QueryText,
  options: JoinedOptions & { readonly columns?: readonly Column<R>[] },
): Source<R>;
export function joined(outer: QueryText, inner: QueryText, options: JoinedOptions): Source {
  const name = options.name ?? 'query';
  const { columns, order, rows, on } = options;
  const reading = { ...options, name, columns: [on] };
  return {
    name,
    kind: 'query',
    sessions: 2,
    ...(columns === undefined ? {} : { columns }),
    ...(order === undefined ? {} : { order }),
    async check(run) {
      const of = [await textOf(outer, run), await textOf(inner, run)] as const;
      const found = [await checkQuery(run, of[0], reading), await checkQuery(run, of[1], reading)] as const;
      assertJoined(name, ...found, options);
    },
    async *read(run) {
      const texts = { outer: await textOf(outer, run), inner: await textOf(inner, run) };
      let count = 0;
      for await (const chunk of readJoined(run, texts, reading, options)) {
        yield chunk;
        count += chunk.length;
        run.progress({ rows: count, ...(rows === undefined ? {} : { of: rows }) });
      }
    },
  };
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
  texts: { readonly outer: string; readonly inner: string },
  reading: Parameters<typeof checkQuery>[2],
  options: JoinedOptions,
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
    let count = 0;
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
