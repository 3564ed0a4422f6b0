import type { StageAccount } from './accounting.js';
import type { RefusedRow } from './checkpoint.js';
import type { ColumnForm } from './field-check.js';
import type { Rows } from './row.js';
import type { Run } from './run.js';

/** Where a part of an input stands, as plain JSON: whoever reaches the input can read the part with it. */
export interface PartPlace {
  /**
   * From `start` to before `end`, which no other part has: of a text the unpacked UTF-8 bytes, of other inputs a number
   * for each row that there may be. Ascending in the order of the input; there may be gaps.
   */
  readonly start: number;
  readonly end: number;
  /** The origins that rows may have, so many from `line` on: lines of a text (1-based), else numbers of rows. */
  readonly line: number;
  readonly lines: number;
  /** What else the source has to know of it, and nobody else understands. */
  readonly of?: unknown;
}

/** A part that is loaded, as the ledger has it. */
export interface KnownPart extends PartPlace {
  /** Rows handed over, those that the server refused among them; and rows in staging. */
  readonly handed: number;
  readonly rows: number;
  /** Of the rows in COPY's text format or, where the text itself was handed to COPY (`raw`), of that. */
  readonly hash: string;
  readonly raw: boolean;
  readonly refused: readonly RefusedRow[];
  /** What became of its rows, in the order in which a flow makes its accounts: the source first, the end last. */
  readonly stages: readonly StageAccount[];
  /** The input's columns, as far as the part has shown them. */
  readonly columns: readonly string[];
  /** What its source wants to know of it when the input is read on; plain JSON. */
  readonly note?: unknown;
}

/** A known part, and whether it is passed over; else it is read again and compared with what is loaded. */
export interface MetPart extends KnownPart {
  readonly pass: boolean;
}

/** A piece of an input that can be read by itself: whole records, in the order in which they stand there. */
export interface Part extends PartPlace {
  /** The text of a part of a text, until it is released. */
  readonly bytes?: Buffer;
  /** Its rows. The run is told of what is rejected and skipped in it. */
  read(run: Run): Rows;
  /** For KnownPart.note; asked once its rows are read. */
  note?(): unknown;
  /** It is needed no more. `memory`: that of its text, where it was given away and has come back. */
  release(memory?: ArrayBuffer): void;
}

/** A part of a text. */
export interface TextPart extends Part {
  readonly bytes: Buffer;
}

/** How the text of a CSV file is written whose parts may be handed to COPY as they are. */
export interface CsvText {
  /** One byte of ASCII. */
  readonly delimiter: string;
  /** The names of its fields, in their order. */
  readonly columns: readonly string[];
  /** What stands unquoted for NULL. */
  readonly nullText: string;
  /** How many records `bytes` has, whole ones; undefined where COPY might read one otherwise than it is meant to be read. */
  gate(bytes: Buffer, forms: readonly ColumnForm[]): number | undefined;
  /** `bytes`, which the gate has let pass, each record with two fields in front: its number, from `row` on, and its line. */
  numbered(bytes: Buffer, how: NumberedText): Buffer;
}

/** How the records of a text are numbered. */
interface NumberedText {
  /** How many there are. */
  readonly rows: number;
  /** The number of the first one, and its line. */
  readonly row: number;
  readonly line: number;
  /** Written to where it has room, in place of a new Buffer. */
  readonly spare: Buffer | undefined;
}

/** How an input is to be cut. */
export interface CutOptions {
  /** Parts that an earlier reading has given, in the order of the input. */
  readonly known: readonly MetPart[];
  /** About how many bytes of text a part has; left out, what the source thinks best. */
  readonly partBytes?: number;
  /** How many parts are read at the same time, at most; left out, one. */
  readonly readers?: number;
}

/**
 * Gives parts of an input by their places alone, in any order, as often as it is asked: in the thread or process that
 * has cut the input, or in any other that reaches it (`Source.partReader`).
 */
export interface PartReader {
  readonly csv?: CsvText;
  /**
   * The part at a place that a Cut of the input has given. `bytes`: its text, where that is at hand; the part keeps it.
   * Throws failed `part_out_of_reach` where it is not, and cannot be read at its place.
   */
  part(place: PartPlace, bytes?: Buffer): Promise<Part>;
  /** Lets go of what is kept for a next part (a session, say); parts that are being read are read to their end. */
  close?(): Promise<void>;
}

/** An input that is cut into parts. What it holds open is closed when `parts` has ended. */
export interface Cut extends PartReader {
  /** What `Source.partReader` is told to give these parts: what the beginning of the input has shown. Plain JSON. */
  readonly opening: unknown;
  /** How it is cut, for people: `12 parts by where rows lie in app.orders`. */
  readonly said?: string;
  /** Whether a place is enough to read a part by; else its text has to be handed over (stdin, a compressed file). */
  readonly byPlace: boolean;
  /** The parts but for those that are passed over, in their order; to be iterated once. */
  parts(): AsyncGenerator<Part, void>;
  /**
   * Asked when all have been read, with what `Part.note` said of them: throws where they show something wrong with the
   * input as a whole.
   */
  end?(notes: readonly unknown[]): void;
}

/** An input that turned out, when it was opened, not to be cut. */
export interface Uncut {
  /** Its rows, to be read once. The run that reads them is told of what is rejected and skipped, as by `Source.read`. */
  rows(run: Run): Rows;
  /** Why not. */
  readonly why?: string;
}

/** `reader`, the rows of its parts changed by `change`; `csv` where their text may go to COPY as it is all the same. */
export function mapReader(
  reader: PartReader,
  change: (rows: Rows, run: Run) => Rows,
  csv?: CsvText,
): PartReader {
  return {
    ...(csv === undefined ? {} : { csv }),
    part: async (place, bytes) => changed(await reader.part(place, bytes), change),
    ...(reader.close === undefined ? {} : { close: () => (reader.close as () => Promise<void>)() }),
  };
}

/** `cut`, the rows of its parts changed by `change`; `csv` as in `mapReader`. */
export function mapParts(
  cut: Cut | Uncut,
  change: (rows: Rows, run: Run) => Rows,
  csv?: CsvText,
): Cut | Uncut {
  if ('rows' in cut) return { ...cut, rows: (run) => change(cut.rows(run), run) };
  const { csv: _, ...rest } = cut;
  return {
    ...rest,
    ...mapReader(cut, change, csv),
    async *parts() {
      for await (const part of cut.parts()) yield changed(part, change);
    },
  };
}

const changed = (part: Part, change: (rows: Rows, run: Run) => Rows): Part => ({
  ...part,
  read: (run) => change(part.read(run), run),
});
