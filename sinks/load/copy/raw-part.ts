import type { Client } from 'pg';
import type { ColumnForm } from '../../../src/core/field-check.js';
import type { CsvText, TextPart } from '../../../src/core/parts.js';
import { literal } from '../../../src/db/quote.js';
import { isDataError } from '../../../src/db/server-error.js';
import { TO_OUR_PATH } from '../../../src/db/users-path.js';
import { columnForms } from '../column-checks/bytes.js';
import { rowsBeforePart } from '../encode/ordinal.js';
import { type Chosen, into, originColumns, type StagingPlace } from './chosen.js';
import { CopyIn } from './copy-in.js';
import { digestOf } from './rolling-hash.js';
import { BEGIN } from './segments.js';

/** How the text of an input goes into the table. */
interface Way {
  readonly sql: string;
  readonly forms: readonly ColumnForm[];
}

/** A part whose text may go to COPY. */
export interface PreparedText {
  readonly sql: string;
  readonly text: Buffer;
  readonly rows: number;
  /** Of the part's own text, hexadecimal. */
  readonly hash: string;
}

/**
 * Hands text of CSV to COPY as it is. Of a part with a record that the server would read otherwise than our reader, or
 * refuse, nothing is taken: whoever asked reads it.
 */
export class RawCopy {
  #way: Way | 'none' | undefined;
  #copy: CopyIn | undefined;
  /** Buffers that were written to and are needed no more. */
  readonly #spare: Buffer[] = [];

  constructor(
    private readonly place: StagingPlace,
    private readonly chosen: Chosen,
    private readonly client: Client,
  ) {}

  /** What COPY is to be given for `part`; undefined where it has to be read. The part's text must stay until it is loaded. */
  prepare(part: TextPart, csv: CsvText): PreparedText | undefined {
    this.#way ??= this.#wayOf(csv);
    const way = this.#way;
    if (way === 'none') return undefined;
    const { bytes, start, line } = part;
    const rows = csv.gate(bytes, way.forms);
    if (rows === undefined) return undefined;
    const hash = digestOf(bytes).toString('hex');
    const { numberedBehind } = this.place;
    const text =
      numberedBehind === undefined
        ? bytes
        : csv.numbered(bytes, {
            rows,
            row: numberedBehind + rowsBeforePart(start) + 1,
            line,
            spare: this.#spare.pop(),
          });
    return { sql: way.sql, text, rows, hash };
  }

  /** The number of rows, once they are committed with what `note` does; undefined where the server refuses them. */
  async load(
    { sql, text, rows, hash }: PreparedText,
    note: (client: Client, rows: number, hash: string) => Promise<void>,
  ): Promise<number | undefined> {
    const { client } = this;
    await client.query(BEGIN);
    const taken = await this.#copied(sql, text);
    // What the server counts otherwise than the gate it has read otherwise than our reader would.
    if (taken !== rows) {
      await client.query('ROLLBACK');
      return undefined;
    }
    await client.query(TO_OUR_PATH);
    await note(client, rows, hash);
    await client.query('COMMIT');
    if (this.place.numberedBehind !== undefined) this.#spare.push(Buffer.from(text.buffer));
    return rows;
  }

  /** Breaks a COPY off that is under way. */
  async abort(): Promise<void> {
    await this.#copy?.abort();
  }

  /** The rows that COPY took; undefined where it refuses the data. */
  async #copied(sql: string, bytes: Buffer): Promise<number | undefined> {
    this.#copy = new CopyIn(this.client, sql);
    try {
      await this.#copy.write(bytes);
      return await this.#copy.finish();
    } catch (error) {
      if (!isDataError(error)) throw error;
      return undefined;
    } finally {
      this.#copy = undefined;
    }
  }

  /** Text has a field for each column that COPY fills, and for none else: or it is no way. */
  #wayOf({ delimiter, columns, nullText }: CsvText): Way | 'none' {
    const { place, chosen } = this;
    const byName = new Map(chosen.facts.map((column) => [column.name, column]));
    const inOrder = columns.flatMap((name) => byName.get(name) ?? []);
    if (inOrder.length !== columns.length || inOrder.length !== chosen.facts.length) return 'none';
    // What numbers the records stands in front of them.
    const all = into(place, [...originColumns(place), ...columns]);
    const dialect = `FORMAT csv, DELIMITER ${literal(delimiter)}, NULL ${literal(nullText)}`;
    return { sql: `COPY ${all} FROM STDIN (${dialect})`, forms: columnForms(inOrder) };
  }
}
