import { copyErrors } from '../core/errors/catalogue/copy.js';
import { fillingErrors } from '../core/errors/catalogue/filling.js';
import { resubmitErrors } from '../core/errors/catalogue/resubmit.js';
import type { Row } from '../core/row.js';
import type { Run } from '../core/run.js';
import { isRejectColumn } from '../run/resubmit/reject-columns.js';
import { isRejects, recognised } from '../run/resubmit/rejects-given.js';
import { displayName, openBytes } from '../sources/bytes/open.js';
import { fileOptions } from './file-options.js';
import { namingSource } from './head.js';
import { meantColumns } from './match.js';
import { assertKeysFit, assertNamed, folded } from './naming.js';
import { type Display, displayOf, type ReadAs } from './own-text.js';
import { nameOf } from './pipeline.js';
import { TypeTally } from './propose-table.js';
import type { CopyRequest } from './request.js';
import { type Surroundings, silentRun } from './silent-run.js';

/** How much is looked at: so many rows of each file whatever they hold, and so many values of all files together. */
export interface Look {
  readonly rows: number;
  readonly values: number;
}

/** Most files have fewer values, and are looked at as a whole. */
const LOOK: Look = { rows: 10_000, values: 10_000_000 };

/** The columns that a table for these files would have. */
export interface Sample {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Rows that were looked at. */
  readonly sampled: number;
  /** Whether those are all rows of all files. */
  readonly complete: boolean;
}

/**
 * Reads rows of every file and finds a type for each column that is not skipped; its name is the
 * one that --map gives, else the file's in lower case, as SQL folds a name that is not quoted. Throws usage
 * `read_once`, `unknown_column`, `unnamed_column`, `duplicate_column`, `column_twice`; refused `no_rows`; what
 * reading throws.
 */
export async function sampleColumns(
  request: CopyRequest,
  around: Surroundings,
  look = LOOK,
): Promise<Sample> {
  return sampleFiles(request, silentRun(around), await displayOf(around.database), look);
}

/** The same without a database: `display` is how one would show points in time. */
export async function sampleFiles(
  request: CopyRequest,
  run: Run,
  display: Display,
  look = LOOK,
): Promise<Sample> {
  const sampling = new Sampling(request, display, look);
  for (const path of request.files) await sampling.read(path, run);
  return sampling.result();
}

/** What has been seen of the files so far. */
class Sampling {
  readonly #request: CopyRequest;
  readonly #display: Display;
  /** By the name of the column in the table. */
  readonly #tallies = new Map<string, TypeTally>();
  readonly #look: Look;
  #rows = 0;
  #values = 0;
  #complete = true;

  constructor(request: CopyRequest, display: Display, look: Look) {
    this.#look = look;
    this.#request = request;
    this.#display = display;
  }

  result(): Sample {
    if (this.#tallies.size === 0) throw copyErrors.no_rows();
    const columns = [...this.#tallies].map(([name, tally]) => ({ name, type: tally.type() }));
    return { columns, sampled: this.#rows, complete: this.#complete };
  }

  async read(path: string, run: Run): Promise<void> {
    if ((await openBytes(path, run)) === undefined) throw readOnce(path);
    const columns = new FileColumns(displayName(path), this.#request, (name) => this.#tally(name));
    let as: ReadAs = 'json';
    const options = await fileOptions(path, this.#request);
    const named = namingSource(path, options, (called, header) => {
      as = 'text';
      const own = (_: string, i: number) => !isRejects(called) || !isRejectColumn(called[i] as string);
      columns.name(called.filter(own), header?.filter(own));
      return {};
    });
    const source = recognised(named, nameOf(this.#request.into));
    columns.types = (await source.types?.(run)) ?? {};
    let rows = 0;
    for await (const chunk of source.read(run)) {
      for (const row of chunk) {
        if (rows >= this.#look.rows && this.#values >= this.#look.values) {
          this.#complete = false;
          if (as === 'json') columns.assertKeysFit();
          return;
        }
        this.#values += columns.add(row, as);
        rows++;
        this.#rows++;
      }
    }
    if (as !== 'json') return;
    columns.name(this.#request.columns ?? [], undefined);
    columns.assertKeysFit();
  }

  #tally(name: string): TypeTally {
    const known = this.#tallies.get(name);
    if (known !== undefined) return known;
    const made = new TypeTally(this.#display);
    this.#tallies.set(name, made);
    return made;
  }
}

/** The columns of one file, each with the tally of its column in the table. */
class FileColumns {
  readonly #input: string;
  readonly #request: CopyRequest;
  readonly #tallyOf: (name: string) => TypeTally;
  /** By the name in the file; undefined for a column that is skipped. */
  readonly #tallies = new Map<string, TypeTally | undefined>();
  /** Column of the table → the file's. */
  readonly #from = new Map<string, string>();
  /** What the file says that the types of its columns are. */
  types: Readonly<Record<string, string>> = {};
  #map: Readonly<Record<string, string>>;
  #skip: readonly string[];

  constructor(input: string, request: CopyRequest, tallyOf: (name: string) => TypeTally) {
    this.#input = input;
    this.#request = request;
    this.#tallyOf = tallyOf;
    this.#map = request.map ?? {};
    this.#skip = request.skip ?? [];
  }

  /** Takes the columns that the header of a CSV file has, or that JSON rows are asked for. */
  name(called: readonly string[], header: readonly string[] | undefined): void {
    if (header !== undefined) {
      const { map, skip } = meantColumns(this.#input, called, this.#request);
      this.#map = map;
      this.#skip = skip;
      assertNamed(this.#input, called, header, map, skip);
    }
    for (const name of called) this.#open(name);
  }

  /** Takes the values of a row into account; how many there were. */
  add(row: Row, as: ReadAs): number {
    const names = Object.keys(row);
    for (const name of names) {
      const tally = this.#tallies.has(name) ? this.#tallies.get(name) : this.#open(name);
      tally?.add(row[name], as);
    }
    return names.length;
  }

  /** Throws a usage error for keys of JSON that no column can be called by, if they are not mapped. */
  assertKeysFit(): void {
    const keys = [...this.#from.values()].map((name, i) => ({ name, position: i + 1 }));
    assertKeysFit(
      this.#input,
      keys.filter(({ name }) => !Object.hasOwn(this.#map, name)),
      this.#skip,
    );
  }

  #open(name: string): TypeTally | undefined {
    if (this.#skip.includes(name)) {
      this.#tallies.set(name, undefined);
      return undefined;
    }
    const to = Object.hasOwn(this.#map, name) ? (this.#map[name] as string) : folded(name);
    const other = this.#from.get(to);
    if (other !== undefined && other !== name)
      throw fillingErrors.column_twice.inNewTable({
        first: other,
        second: name,
        column: to,
        skip: this.#skip,
      });
    this.#from.set(to, name);
    const tally = this.#tallyOf(to);
    if (other === undefined) tally.said(Object.hasOwn(this.types, name) ? this.types[name] : undefined);
    this.#tallies.set(name, tally);
    return tally;
  }
}

const readOnce = (path: string) => resubmitErrors.read_once.toPropose({ path, shown: displayName(path) });
