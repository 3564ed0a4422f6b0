import type pg from 'pg';
import { CopyBuffer } from '../../sinks/load/encode/copy-buffer.js';
import { copyEncoder, type Encoder } from '../../sinks/load/encode/encoder.js';
import { ORIGIN_COLUMNS } from '../../sinks/load/encode/ordinal.js';
import { originOf, type Row } from '../../src/core/row.js';
import type { Rejection } from '../../src/core/run.js';
import { type ColumnFacts, readColumns } from '../../src/db/catalog/columns.js';
import { ident } from '../../src/db/quote.js';
import { strictParser } from '../../src/sources/csv/fast.js';
import type { CsvParser } from '../../src/sources/csv/parser.js';
import { gate } from '../../src/sources/csv/scan/gate.js';
import { numbered } from '../../src/sources/csv/scan/numbered.js';
import { scanRecords } from '../../src/sources/csv/scan/records.js';
import { encoded, formsOf, type Lanes, raw } from '../support/lanes.js';
import { pick, type Random, upTo } from './inputs.js';
import { type LaneText, laneText, TABLES } from './lane-inputs.js';

/** What comparing both lanes came to. */
export interface Tally {
  texts: number;
  /** Records of the texts, and those of them that went to the server unparsed. */
  records: number;
  raw: number;
  /** Stretches that the server refused after the gate had let them pass. */
  refusedByServer: number;
  /** How often the gate gave each reason. */
  readonly reasons: Record<string, number>;
  /** Differences; bounded. */
  readonly found: string[];
}

const MOST_FOUND = 10;
const ORIGIN_LIST = [ORIGIN_COLUMNS.row, ORIGIN_COLUMNS.line];

/** What one way of loading a text came to, beside the rows of its table. */
interface Loaded {
  readonly rejects: string[];
  blank: number;
}

/**
 * Loads random texts in two ways, until `going` says no: read in one go by our reader and encoded; and cut anywhere, what
 * the gate lets pass unparsed and the rest by our reader. Compares rows (with their numbers and lines), rejects and blank
 * lines. The database of `client` is empty.
 */
export async function compareLanes(
  client: pg.Client,
  seed: number,
  random: Random,
  going: (tally: Tally) => boolean,
): Promise<Tally> {
  const lab = await Lab.make(client, random);
  const { tally } = lab;
  while (going(tally) && tally.found.length < MOST_FOUND) {
    const text = laneText(random, lab.columns, pick(random, [1, 5, 50, 1000, 8000]));
    const what = await lab.compare(text).catch((error) => `it crashed: ${error?.stack ?? error}`);
    tally.texts++;
    if (what !== undefined) tally.found.push(`${shown(text)}, text ${tally.texts} of seed ${seed}: ${what}`);
  }
  return tally;
}

/** A text by what it is made of; a short one with its bytes. */
function shown({ table, columns, delimiter, null: nullText, bytes }: LaneText): string {
  const names = columns.map(({ name }) => name);
  const text = bytes.length < 1500 ? bytes.toString('latin1') : undefined;
  return JSON.stringify({ table, names, delimiter, null: nullText, text });
}

class Lab {
  readonly tally: Tally = { texts: 0, records: 0, raw: 0, refusedByServer: 0, reasons: {}, found: [] };

  private constructor(
    private readonly client: pg.Client,
    private readonly random: Random,
    readonly columns: Readonly<Record<string, readonly ColumnFacts[]>>,
  ) {}

  static async make(client: pg.Client, random: Random): Promise<Lab> {
    await client.query(TABLES);
    const columns: Record<string, readonly ColumnFacts[]> = {};
    for (const table of ['orders', 'things', 'pairs', 'words']) {
      const query = async <T extends object>(sql: string, values: readonly unknown[] = []) =>
        (await client.query<T>(sql, values as unknown[])).rows;
      columns[table] = await readColumns({ query } as never, 'public', table);
      for (const lane of ['whole', 'parts'])
        await client.query(`CREATE UNLOGGED TABLE ${table}_${lane} (LIKE ${table},
          ${ORIGIN_COLUMNS.row} bigint, ${ORIGIN_COLUMNS.line} bigint)`);
    }
    return new Lab(client, random, columns);
  }

  /** What differs between the ways of loading `text`; undefined where nothing does. */
  async compare(text: LaneText): Promise<string | undefined> {
    const { random } = this;
    const numbers = random() < 0.7;
    const facts = this.columns[text.table] as readonly ColumnFacts[];
    const columns = text.columns.map(
      ({ name }) => facts.find((column) => column.name === name) as ColumnFacts,
    );
    const way = (lane: string): Way => ({
      client: this.client,
      table: `${text.table}_${lane}`,
      columns,
      delimiter: text.delimiter,
      null: text.null,
      numbers,
    });
    const [whole, parts] = [way('whole'), way('parts')];
    await this.client.query(`TRUNCATE ${ident(whole.table)}, ${ident(parts.table)}`);
    const inOneGo = await this.whole(whole, text);
    const inParts = await this.parts(parts, text);
    for (const kind of ['blank', 'rejects'] as const) {
      const [one, other] = [inOneGo, inParts].map((loaded) => JSON.stringify(loaded[kind]));
      if (one !== other) return `${kind}: ${one} in one go, ${other} in parts`;
    }
    const [one, other] = [await this.client.query(sum(whole)), await this.client.query(sum(parts))];
    if (JSON.stringify(one.rows) === JSON.stringify(other.rows)) return undefined;
    const { rows } = await this.client.query(difference(whole, parts));
    return `rows: ${JSON.stringify([one.rows, other.rows, rows])}`;
  }

  /** Everything through our reader, in one go. */
  private async whole(way: Way, { bytes }: LaneText): Promise<Loaded> {
    const reading = new Reading(way, 1);
    const parser = reading.parser();
    reading.take(parser.push(bytes));
    reading.take(parser.end());
    this.tally.records += reading.records;
    await reading.load();
    return { rejects: reading.rejects.sort(), blank: parser.blank };
  }

  /** Cut anywhere, and unparsed as far as the gate lets it. */
  private async parts(way: Way, { bytes }: LaneText): Promise<Loaded> {
    const { random } = this;
    const comma = way.delimiter.charCodeAt(0);
    const loaded: Loaded = { rejects: [], blank: 0 };
    const reading = new Reading(way, 1);
    const head = reading.parser();
    head.push(bytes.subarray(0, bytes.indexOf(10) + 1));
    let at = head.place?.offset as number;
    let line = head.place?.line as number;
    let row = 1;
    const size = 1 + Math.floor(bytes.length / pick(random, [1, 3, 10]));
    while (at < bytes.length) {
      let end = at;
      let lines = 0;
      // So much that there is a whole record in it.
      for (let held = size; end === at; held *= 2) {
        const until = Math.min(bytes.length, at + upTo(random, held));
        const scanned = scanRecords(bytes, at, until, comma, until === bytes.length);
        end = scanned.end;
        lines = scanned.lines;
      }
      row = await this.part(way, bytes, { at, end, line, row, head }, loaded);
      at = end;
      line += lines;
    }
    loaded.rejects.sort();
    return loaded;
  }

  /** Loads whole records; gives the number of the next row. */
  private async part(way: Way, bytes: Buffer, from: Stretch, loaded: Loaded): Promise<number> {
    const { tally } = this;
    const comma = way.delimiter.charCodeAt(0);
    const nullText = Buffer.from(way.null);
    const forms = formsOf(way);
    let { at, line, row } = from;
    while (at < from.end) {
      const gated = gate(bytes, at, from.end, comma, forms, { nullText });
      if (gated.at > at) {
        const { rows } = gated;
        const records = way.numbers
          ? numbered(bytes, at, gated.at, comma, { rows, row, line, nullText })
          : bytes.subarray(at, gated.at);
        const names = way.columns.map(({ name }) => name);
        const refused = await raw(way, records, way.numbers ? [...ORIGIN_LIST, ...names] : names);
        if (refused === undefined) {
          tally.raw += rows;
          row += rows;
        } else {
          tally.refusedByServer++;
          row += await this.read(way, bytes, { ...from, at, end: gated.at, line, row }, loaded);
        }
        at = gated.at;
        line += gated.lines;
      }
      if (gated.refused === undefined) continue;
      tally.reasons[gated.refused] = (tally.reasons[gated.refused] ?? 0) + 1;
      // The record alone, however long that takes: the next may go unparsed again.
      const next = recordEnd(bytes, at, from.end, comma);
      row += await this.read(way, bytes, { ...from, at, end: next.end, line, row }, loaded);
      at = next.end;
      line += next.lines;
    }
    return row;
  }

  /** Loads whole records by our reader; gives how many rows it has made of them. */
  private async read(
    way: Way,
    bytes: Buffer,
    { at, end, line, row, head }: Stretch,
    loaded: Loaded,
  ): Promise<number> {
    const reading = new Reading(way, row);
    const parser = head.from({ offset: at, line }, reading.reject);
    reading.take(parser.push(bytes.subarray(at, end)));
    reading.take(parser.end());
    await reading.load();
    loaded.rejects.push(...reading.rejects);
    loaded.blank += parser.blank;
    return reading.rows;
  }
}

interface Way extends Lanes {
  readonly delimiter: string;
  readonly null: string;
  /** Whether rows have their number and line. */
  readonly numbers: boolean;
}

/** A piece of a text that begins and ends with a record, what its first row and line are, and who has read its header. */
interface Stretch {
  readonly at: number;
  readonly end: number;
  readonly line: number;
  readonly row: number;
  readonly head: CsvParser;
}

/** Where the record at `at` ends. */
function recordEnd(
  bytes: Buffer,
  at: number,
  end: number,
  delimiter: number,
): { end: number; lines: number } {
  for (let line = bytes.indexOf(10, at) + 1; line > 0 && line < end; line = bytes.indexOf(10, line) + 1) {
    const scanned = scanRecords(bytes, at, line, delimiter, false);
    if (scanned.end > at) return scanned;
  }
  return scanRecords(bytes, at, end, delimiter, true);
}

/** What our reader and encoder make of a text. */
class Reading {
  readonly rejects: string[] = [];
  records = 0;
  readonly #out = new CopyBuffer(64 * 1024);
  readonly #encoder: Encoder;
  readonly reject = ({ reason, line }: Rejection) => {
    this.rejects.push(`${line} ${reason}`);
    this.records++;
  };

  constructor(
    private readonly way: Way,
    row: number,
  ) {
    this.#encoder = copyEncoder(way.columns, way.numbers ? { numberedFrom: row } : {});
  }

  get rows(): number {
    return this.#out.rows;
  }

  parser(): CsvParser {
    const { delimiter, null: nullText } = this.way;
    return strictParser('input', { delimiter, null: nullText }, { reject: (_, why) => this.reject(why) });
  }

  take(rows: readonly Row[]): void {
    this.records += this.#encoder.encode(rows, this.#out, (row, { reason, column }) => {
      this.rejects.push(`${originOf(row)} ${reason} ${column}`);
      this.records++;
    });
  }

  /** Hands the rows to the server, without those that it refuses, which become rejects. */
  async load(): Promise<void> {
    const { way } = this;
    const columns = way.numbers
      ? [...way.columns, ...ORIGIN_LIST.map((name) => ({ name }) as ColumnFacts)]
      : way.columns;
    const out = this.#out;
    const send = (at: number, to: number) => encoded({ ...way, columns }, Buffer.from(out.view(at, to)));
    for (let first = { row: 0, at: 0 }; first.row < out.rows; ) {
      const error = (await send(first.at, out.length)) as pg.DatabaseError | undefined;
      if (error === undefined) return;
      const bad = first.row + Number(/, line (\d+)/.exec(error.where ?? '')?.[1]) - 1;
      if (!(bad >= first.row && bad < out.rows)) throw error;
      // What is before the row is handed over by itself.
      const at = out.startOf(bad, first);
      const again = at > first.at ? await send(first.at, at) : undefined;
      if (again !== undefined) throw again;
      this.rejects.push(`${out.origins[bad]} ${error.code}`);
      first = { row: bad + 1, at: out.startOf(1 + bad, { row: bad, at }) };
    }
  }
}

/** Every row as text, numbers and lines too; NULL and the empty text read differently. */
const rowsOf = ({ table, columns }: Way) => {
  const names = [...columns.map(({ name }) => name), ...ORIGIN_LIST].map((name) => `${ident(name)}::text`);
  return `SELECT ROW(${names.join(', ')})::text AS row FROM ${ident(table)}`;
};

/** What is the same for two tables with the same rows, and hardly for others. */
const sum = (way: Way) =>
  `SELECT count(*), sum(hashtextextended(row, 0)::numeric) AS hash FROM (${rowsOf(way)}) AS rows`;

/** Rows that one of the tables has more often than the other. */
const difference = (whole: Way, parts: Way) => `SELECT way, row FROM (
    (SELECT 'in one go' AS way, * FROM (${rowsOf(whole)} EXCEPT ALL ${rowsOf(parts)}) AS a)
    UNION ALL
    (SELECT 'in parts', * FROM (${rowsOf(parts)} EXCEPT ALL ${rowsOf(whole)}) AS b)
  ) AS different LIMIT 6`;
