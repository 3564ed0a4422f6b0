import { columnErrors } from '../../core/errors/catalogue/columns.js';
import { headerErrors } from '../../core/errors/catalogue/headers.js';
import { loadErrors } from '../../core/errors/catalogue/load.js';
import { nearest } from '../../core/errors/nearest.js';
import type { CutOptions, KnownPart, Part, PartPlace, PartReader } from '../../core/parts.js';
import { type AnyRow, CHUNK_ROWS, type Column, type Row, type Rows, type TextRow } from '../../core/row.js';
import type { Rejection, Run } from '../../core/run.js';
import type { Source } from '../../core/types.js';
import { stopIfAborted } from '../bytes/stop.js';
import { columnMeant, type HeaderOptions, resolveHeader } from '../csv/header.js';
import { type RowMaker, rowMaker } from '../csv/rows.js';
import { pathSource } from '../text/path-source.js';
import { ParquetFile } from './file.js';
import type { UnfitText } from './values.js';

/** So many bytes of columns are unpacked at a time; as values they take some ten times as much. */
const WINDOW_BYTES = 4 << 20;

/** Fewer rows at a time cost more than they are worth. */
const LEAST_ROWS = 2 * CHUNK_ROWS;

export interface ParquetOptions extends Pick<HeaderOptions, 'map'> {
  /** The columns that the flow relies on (after `map`); the check refuses a file that lacks one. Others are read as well. */
  readonly columns?: readonly string[];
  /** Columns of the file that are not read, by name or position (`#3`): they are null. */
  readonly unread?: readonly string[];
}

/**
 * The rows of the Parquet file at `path`, a file or a URL. Values are text, or null: whole numbers with all their digits,
 * decimals exactly, floating point in the fewest digits that are the same double, dates, times and moments as PostgreSQL
 * writes them (moments in UTC with `+00`, where the file says that they are), bytes as `\x…`, lists, maps and structs as
 * JSON. A row's origin is its number in the file, from 1 on. Takes the package hyparquet.
 *
 * Checking and reading throw what keeps a file from being read (as of `csv`), usage `not_parquet` (stdin, another kind of
 * file, an encrypted one), `no_parquet_reader`, `missing_column`, `unknown_column`, `parquet_type`; failed `corrupt_parquet`;
 * refused `duplicate_column`. Text that PostgreSQL cannot hold (a NUL, bytes that are no UTF-8) is a reject.
 */
export function parquet<const C extends string>(
  path: string,
  options: ParquetOptions & { readonly columns: readonly C[] },
): Source<TextRow<C>>;
/** Rows as the author says they are. */
export function parquet<R extends AnyRow = Row>(
  path: string,
  options?: ParquetOptions & { readonly columns?: readonly Column<R>[] },
): Source<R>;
export function parquet(path: string, options: ParquetOptions = {}): Source {
  const source = pathSource(path, {
    format: 'parquet',
    columns: options.columns,
    batches: (run) => readAll(path, options, run),
    cut: async (run, how) => {
      const reading = await Reading.open(path, options, run);
      const places = placesOf(reading, how);
      const passed = new Set(how.known.filter(({ pass }) => pass).map(({ start }) => start));
      return {
        ...partsOf(reading),
        opening: null,
        byPlace: true,
        said: `${places.length} parts of its row groups`,
        async *parts() {
          for (const place of places) if (!passed.has(place.start)) yield partAt(reading, place);
        },
      };
    },
    partReader: async (run) => partsOf(await Reading.open(path, options, run)),
  });
  return {
    ...source,
    check: async (run) => {
      await Reading.open(path, options, run);
    },
    types: async (run) => {
      const { columns } = await ParquetFile.open(path, run);
      return Object.fromEntries(
        columns.flatMap(({ name, type }) => (type === undefined ? [] : [[name, type]])),
      );
    },
  };
}

const partsOf = (reading: Reading): PartReader => ({ part: async (place) => partAt(reading, place) });

const partAt = (reading: Reading, place: PartPlace): Part => ({
  start: place.start,
  end: place.end,
  line: place.line,
  lines: place.lines,
  read: (run) => reading.rows(place, run),
  release() {},
});

async function* readAll(
  path: string,
  options: ParquetOptions,
  run: Run,
): AsyncGenerator<readonly Row[], void> {
  const reading = await Reading.open(path, options, run);
  const { rows: of } = reading.file;
  for (const place of reading.windows(WINDOW_BYTES))
    for await (const rows of reading.rows(place, run)) {
      run.progress({ rows: Math.min(of, place.end), of });
      yield rows;
    }
}

/** The places of parts: known ones are among them, since a file is always cut alike. Throws refused `not_repeatable`. */
function placesOf(reading: Reading, { known, partBytes = WINDOW_BYTES }: CutOptions): PartPlace[] {
  const places = [...reading.windows(partBytes)];
  const ends = new Map(places.map(({ start, end }) => [start, end]));
  const other = known.find(({ start, end }: KnownPart) => ends.get(start) !== end);
  if (other !== undefined)
    throw loadErrors.not_repeatable.otherwise({ input: reading.file.input, by: 'row groups' });
  return places;
}

/** A column that is read. */
interface ReadColumn {
  /** In the file. */
  readonly name: string;
  /** Its place in a row. */
  readonly at: number;
  text(value: unknown): string | UnfitText;
}

/** A file with the columns that its rows are to have. */
class Reading {
  readonly #columns: readonly ReadColumn[];
  readonly #read: ReadonlySet<string>;

  private constructor(
    readonly file: ParquetFile,
    private readonly maker: RowMaker,
    unread: ReadonlySet<string>,
  ) {
    this.#columns = file.columns.flatMap(({ name, reader }, at) =>
      unread.has(name) ? [] : [{ name, at, text: reader() }],
    );
    this.#read = new Set(this.#columns.map(({ name }) => name));
  }

  static async open(path: string, options: ParquetOptions, run: Run): Promise<Reading> {
    const file = await ParquetFile.open(path, run);
    const names = file.columns.map(({ name }) => name);
    const twice = names.findIndex((name, at) => names.indexOf(name) !== at);
    if (twice >= 0)
      throw headerErrors.duplicate_column.inHeader({
        input: file.input,
        name: names[twice] as string,
        first: names.indexOf(names[twice] as string) + 1,
        second: twice + 1,
      });
    const { map, columns } = options;
    const called = resolveHeader(
      names,
      { ...(map === undefined ? {} : { map }), ...(columns === undefined ? {} : { columns }) },
      file.input,
    );
    const unread = (options.unread ?? []).map((wanted) => {
      const column = columnMeant(names, wanted);
      if (column !== undefined) return column;
      throw columnErrors.unknown_column.inFile({
        input: file.input,
        wanted,
        meant: nearest(wanted, names),
        columns: names.join(', '),
      });
    });
    return new Reading(file, rowMaker(called), new Set(unread));
  }

  /** Rows that are read at a time, of one group each. */
  *windows(bytes: number): Generator<PartPlace> {
    for (const [group, { start, rows }] of this.file.groups.entries()) {
      const size = Math.max(LEAST_ROWS, Math.floor(bytes / this.file.bytesPerRow(group, this.#read)));
      // Windows of about one size, so that none is left with some rows.
      const windows = Math.ceil(rows / size);
      for (let at = 0; at < windows; at++) {
        const from = start + Math.floor((rows * at) / windows);
        const to = start + Math.floor((rows * (at + 1)) / windows);
        yield { start: from, end: to, line: from + 1, lines: to - from };
      }
    }
  }

  /** The rows from `start` to before `end`, a column after the other unpacked, and as text some hundred rows at a time. */
  async *rows({ start, end }: Pick<PartPlace, 'start' | 'end'>, run: Run): Rows {
    const stored: ArrayLike<unknown>[] = [];
    for (const { name } of this.#columns) {
      stopIfAborted(run);
      stored.push(await this.file.values(name, start, end));
    }
    for (let from = start; from < end; from += CHUNK_ROWS) {
      stopIfAborted(run);
      const rows: Row[] = [];
      for (let number = from; number < Math.min(end, from + CHUNK_ROWS); number++) {
        const row = this.#row(stored, number - start, number + 1, run);
        if (row !== undefined) rows.push(row);
      }
      if (rows.length > 0) yield rows;
    }
  }

  /** One row; undefined where it was rejected. */
  #row(stored: readonly ArrayLike<unknown>[], index: number, ordinal: number, run: Run): Row | undefined {
    const values: (string | null)[] = new Array(this.maker.columns).fill(null);
    let unfit: { readonly at: number; readonly text: UnfitText } | undefined;
    for (const [i, { at, text }] of this.#columns.entries()) {
      const value = stored[i]?.[index];
      if (value === null || value === undefined) continue;
      const read = text(value);
      if (typeof read === 'string') values[at] = read;
      else {
        values[at] = read.shown;
        unfit ??= { at, text: read };
      }
    }
    const row = this.maker.fromValues(values, ordinal);
    if (unfit === undefined) return row;
    run.reject(row, rejection(unfit.text, this.maker.names[unfit.at] as string));
    return undefined;
  }
}

function rejection({ reason, shown }: UnfitText, column: string): Rejection {
  const message =
    reason === 'nul_in_text'
      ? `the text in "${column}" holds a NUL character, which PostgreSQL cannot store`
      : `the text in "${column}" is not UTF-8`;
  return { reason, message, column, value: shown };
}
