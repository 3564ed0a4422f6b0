import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { exportErrors } from '../../src/core/errors/catalogue/export.js';
import { plural } from '../../src/core/plural.js';
import { type AnyRow, anyColumns, type Row } from '../../src/core/row.js';
import type { Run } from '../../src/core/run.js';
import type { Sink, Staging } from '../../src/core/types.js';
import { assertCsvForm, type CsvForm } from './csv-form.js';
import type { TextFormat } from './format.js';
import { OutFile } from './out-file.js';
import { assertPacks, packingOf } from './packing.js';
import { csvRows, jsonRows, type RowText } from './row-text.js';
import { StandardOut } from './standard-out.js';

/** Which columns a file has. */
export interface FileColumns<R extends AnyRow = Row> {
  /**
   * The columns, in order; others that rows have are left out. Default: CSV has those of the first row, and a row that has
   * a value under another name is rejected; in JSON Lines each row has its own.
   */
  readonly columns?: readonly (keyof R & string)[];
}

/** How CSV is written. */
export interface CsvFileOptions<R extends AnyRow = Row> extends FileColumns<R> {
  /** One character of ASCII. Default: a comma. */
  readonly delimiter?: string;
  /** Whether the names of the columns stand in the first line. Default: true. */
  readonly header?: boolean;
  /** What stands unquoted for NULL. Default: nothing; in a file of one column \\N, since an empty line would be no row. */
  readonly nullText?: string;
}

/** Whether a file of that name may be there already. */
export interface FilePlace {
  /** Write over a file that is there. Default: refuse before anything is read. */
  readonly overwrite?: boolean;
}

/**
 * Ends rows in a CSV file, as PostgreSQL's COPY and `sluice copy` read it: NULL is nothing, an empty text `""`, a Date in
 * UTC, bytes \\x…, objects and arrays JSON. A name that ends in .gz or .zst packs it. It has its name when the run has done
 * all else; until then, and where the run fails, no file of it is there. Readable by its owner alone (0600). Several flows
 * may end in the same sink. Throws usage `export_options` for a form that could not be read again.
 */
export function csvFile<R extends AnyRow = Row>(
  path: string,
  options: CsvFileOptions<R> & FilePlace = {},
): Sink<R> {
  return fileOf(path, csvText(options), options);
}

/** The same as JSON Lines: an object a line, numbers exactly as they are. */
export function jsonlFile<R extends AnyRow = Row>(
  path: string,
  { columns, overwrite = false }: FileColumns<R> & FilePlace = {},
): Sink<R> {
  return fileOf(path, () => jsonRows(columns), { overwrite });
}

/**
 * Ends rows on stdout, as lines of CSV, or of JSON (`format: 'jsonl'`). Whoever reads it may stop: the rest is dropped, and
 * where the run has no other end it is over; that is no failure.
 */
export function stdout<R extends AnyRow = Row>(
  options: { readonly format?: TextFormat } & CsvFileOptions<R> = {},
): Sink<R> {
  const text = options.format === 'jsonl' ? () => jsonRows(options.columns) : csvText(options);
  return rowsSink<R>('stdout', text, {
    open: async () => {
      const out = new StandardOut();
      return {
        write: (bytes) => out.write(bytes),
        end: () => out.end(),
        keep: async () => {},
        discard: async () => out.release(),
        unread: () => out.unread,
      };
    },
  });
}

function csvText<R extends AnyRow>({
  columns,
  delimiter = ',',
  header = true,
  nullText,
}: CsvFileOptions<R>): () => RowText {
  const form: CsvForm = { delimiter, header, ...(nullText === undefined ? {} : { nullText }) };
  assertCsvForm(form);
  return () => csvRows(form, columns);
}

function fileOf<R extends AnyRow>(
  path: string,
  text: () => RowText,
  { overwrite = false }: FilePlace,
): Sink<R> {
  return {
    ...rowsSink<R>(path, text, { open: () => OutFile.open(path), path }),
    path,
    async check() {
      assertPacks(packingOf(path));
      if (!overwrite && statSync(path, { throwIfNoEntry: false }) !== undefined)
        throw exportErrors.export_exists.ofSink({ path });
    },
  };
}

/** Where the bytes of a sink go. */
interface Bytes {
  write(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
  keep(): Promise<void>;
  discard(): Promise<void>;
  unread?(): boolean;
}

interface Place {
  open(): Promise<Bytes>;
  readonly path?: string;
}

function rowsSink<R extends AnyRow>(name: string, text: () => RowText, { open, path }: Place): Sink<R> {
  const key = `rows into ${path === undefined ? name : resolve(path)}`;
  const owner = {};
  return {
    name,
    writes: 'file',
    openDry: async (run) => new RowsOut(owner, text(), undefined).end(run),
    async open(run) {
      const made = await run.share(
        key,
        async () => new RowsOut(owner, text(), await open(), path),
        (rows) => rows.discard(),
      );
      if (!made.isOf(owner)) throw exportErrors.export_options.sameSink({ path: name });
      return made.end(run);
    },
  };
}

/** What the ends of a run that are one sink write together. */
class RowsOut {
  #rows = 0;
  #finishing: Promise<void> | undefined;
  #keeping: Promise<void> | undefined;

  constructor(
    private readonly owner: object,
    private readonly text: RowText,
    /** Left out, nothing is written. */
    private readonly out: Bytes | undefined,
    private readonly path?: string,
  ) {}

  isOf(owner: object): boolean {
    return this.owner === owner;
  }

  /** One of its ends. */
  end<R extends AnyRow>(run: Run): Staging<R> {
    let count = 0;
    return {
      write: async (chunk) => {
        const { text, rows } = this.text.lines(chunk.map(anyColumns), run.reject);
        count += rows;
        this.#rows += rows;
        if (text !== '') await this.out?.write(Buffer.from(text));
      },
      close: async () => count,
      discard: () => this.discard(),
      finish: () => {
        this.#finishing ??= this.#finish();
        return this.#finishing;
      },
      keep: () => {
        this.#keeping ??= this.#keep(run);
        return this.#keeping;
      },
      unread: () => this.out?.unread?.() ?? false,
    };
  }

  async #finish(): Promise<void> {
    const head = this.text.head();
    if (head !== '') await this.out?.write(Buffer.from(head));
    await this.out?.end();
  }

  async #keep(run: Run): Promise<void> {
    await this.out?.keep();
    if (this.path !== undefined) run.wrote(this.path, plural(this.#rows, 'row'));
  }

  async discard(): Promise<void> {
    await this.out?.discard();
  }
}
