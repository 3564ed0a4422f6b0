import type { StageAccount } from './accounting.js';
import type { RefusedRow } from './checkpoint.js';
import type { ColumnForm } from './field-check.js';
import type { Rows } from './row.js';
import type { Run } from './run.js';

/** Where a part of an input stands in its text: the unpacked UTF-8 bytes from `start` to before `end`. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
  /** The line (1-based) that begins at `start`, and how many lines there are. */
  readonly line: number;
  readonly lines: number;
}

/** A part that is loaded, as the ledger has it. */
export interface KnownPart extends TextRange {
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
export interface Part extends TextRange {
  /** Its text, until it is released. */
  readonly bytes: Buffer;
  /** Its rows. The run is told of what is rejected and skipped in it. */
  read(run: Run): Rows;
  /** For KnownPart.note; asked once its rows are read. */
  note?(): unknown;
  /** Its text is needed no more. */
  release(): void;
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
  /** Parts that an earlier reading has given, in the order of the text. */
  readonly known: readonly MetPart[];
  /** About how many bytes of text a part has; left out, what the source thinks best. */
  readonly partBytes?: number;
}

/** An input that is cut into parts. */
export interface Cut {
  readonly csv?: CsvText;
  /** The parts but for those that are passed over, in their order; to be iterated once. */
  parts(): AsyncGenerator<Part, void>;
  /** Asked when all have been read: throws where they show something wrong with the input as a whole. */
  end?(): void;
}

/** An input that turned out, when it was opened, to have no places where it could be cut. */
export interface Uncut {
  readonly rows: Rows;
}

/** `cut`, the rows of its parts changed by `change`; `csv` where their text may go to COPY as it is all the same. */
export function mapParts(
  cut: Cut | Uncut,
  change: (rows: Rows, run: Run) => Rows,
  run: Run,
  csv?: CsvText,
): Cut | Uncut {
  if ('rows' in cut) return { rows: change(cut.rows, run) };
  const { csv: _, ...rest } = cut;
  return {
    ...rest,
    ...(csv === undefined ? {} : { csv }),
    async *parts() {
      for await (const part of cut.parts())
        yield { ...part, read: (its: Run) => change(part.read(its), its) };
    },
  };
}
