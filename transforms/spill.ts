import v8 from 'node:v8';
import { fromClone } from '../src/core/json/clone.js';
import { hasExact } from '../src/core/json/write.js';
import { type Chunk, markOrigin, originOf, type Row } from '../src/core/row.js';
import { ScratchFile } from './sort/scratch-file.js';
import { serialize } from './sort/serialize.js';

/** Rows in one frame, the unit of reading back. */
const FRAME_ROWS = 256;
/** Stands for NULL among the lengths of a text frame. */
const NULL_LENGTH = 0xffff;

type Decode = (text: string, lengths: Uint16Array, origins: Float64Array | undefined, rows: number) => Row[];

interface Frame {
  readonly at: number;
  readonly bytes: number;
  readonly rows: number;
  readonly hasOrigins: boolean;
  /** Absent where the rows are not of one shape with text and NULL only: v8.serialize has them then. */
  readonly shape?: Shape;
  readonly encoding?: Encoding;
  /** The rows were changed for structured cloning. */
  readonly exact?: boolean;
}

type Encoding = 'latin1' | 'utf16le';

/** Rows that were written together. */
export interface SpilledRows {
  readonly rows: Row[];
}

interface Shape {
  readonly columns: readonly string[];
  readonly decode: Decode;
}

/**
 * Rows on disk instead of in memory: written once, read back in the order of writing any number of times.
 * Every value that structured cloning knows survives exactly (text with lone surrogates, numbers, -0,
 * bigint, Date, Buffer, plain objects, undefined), an ExactNumber, and the row's origin; other symbols do not.
 */
export class Spill {
  /** Rows written so far. */
  rows = 0;
  readonly #file: ScratchFile;
  readonly #frames: Frame[] = [];
  #shape: Shape | undefined;

  private constructor(file: ScratchFile) {
    this.#file = file;
  }

  /** An empty spill in `directory`, which must exist. Throws `scratch_failed`. */
  static async create(directory: string): Promise<Spill> {
    return new Spill(await ScratchFile.create(directory));
  }

  /** Appends `chunk`. Throws `scratch_failed` (disk full, say), or `unspillable_row` for a function. */
  async write(chunk: Chunk): Promise<void> {
    const parts: Buffer[] = [];
    for (let from = 0; from < chunk.length; from += FRAME_ROWS) {
      this.#encode(chunk.slice(from, from + FRAME_ROWS), parts);
    }
    await this.#file.append(Buffer.concat(parts));
    this.rows += chunk.length;
  }

  /** The rows in frames of at most 256, in the order of writing. */
  async *read(): AsyncGenerator<SpilledRows> {
    for (const frame of this.#frames) {
      const bytes = Buffer.allocUnsafeSlow(frame.bytes);
      await this.#file.read(bytes, frame.at, frame.bytes);
      yield decodeFrame(frame, bytes);
    }
  }

  /** Gives the space back. May be called again. */
  async dispose(): Promise<void> {
    this.#frames.length = 0;
    await this.#file.dispose();
  }

  #encode(rows: Row[], parts: Buffer[]): void {
    const origins = encodeOrigins(rows);
    const before = parts.length;
    if (origins !== undefined) parts.push(origins);
    const columns = Object.keys(rows[0] as Row);
    const text = encodeText(rows, columns);
    let how: Pick<Frame, 'shape' | 'encoding' | 'exact'> = {};
    if (text !== undefined) {
      if (this.#shape === undefined || !sameNames(this.#shape.columns, columns)) {
        this.#shape = { columns, decode: compileDecode(columns) };
      }
      const encoding = encodingOf(text.text);
      parts.push(text.lengths, Buffer.from(text.text, encoding));
      how = { shape: this.#shape, encoding };
    } else {
      const exact = rows.some(hasExact);
      parts.push(serialize(rows, exact));
      how = { exact };
    }
    let bytes = 0;
    for (let i = before; i < parts.length; i++) bytes += (parts[i] as Buffer).length;
    const last = this.#frames.at(-1);
    const at = last === undefined ? 0 : last.at + last.bytes;
    this.#frames.push({ at, bytes, rows: rows.length, hasOrigins: origins !== undefined, ...how });
  }
}

/** Both are exact for every string, lone surrogates included, which UTF-8 is not. */
function encodingOf(text: string): Encoding {
  return /[^\0-\xff]/.test(text) ? 'utf16le' : 'latin1';
}

function encodeOrigins(rows: readonly Row[]): Buffer | undefined {
  const origins = new Float64Array(rows.length);
  let any = false;
  for (let i = 0; i < rows.length; i++) {
    const origin = originOf(rows[i] as Row);
    origins[i] = origin ?? Number.NaN;
    if (origin !== undefined) any = true;
  }
  return any ? Buffer.from(origins.buffer) : undefined;
}

/** All values one after the other, and their lengths apart, so that no character needs an escape. */
function encodeText(rows: readonly Row[], columns: readonly string[]) {
  const width = columns.length;
  const lengths = new Uint16Array(rows.length * width);
  let text = '';
  let k = 0;
  for (const row of rows) {
    if (!sameNames(Object.keys(row), columns)) return undefined;
    for (let c = 0; c < width; c++) {
      const value = row[columns[c] as string];
      if (value === null) lengths[k++] = NULL_LENGTH;
      else if (typeof value === 'string' && value.length < NULL_LENGTH) {
        lengths[k++] = value.length;
        text += value;
      } else return undefined;
    }
  }
  return { text, lengths: Buffer.from(lengths.buffer) };
}

function decodeFrame(frame: Frame, bytes: Buffer): SpilledRows {
  // `bytes` has an ArrayBuffer of its own, so the views are aligned: 8 bytes a row, then 2 a value.
  let at = 0;
  let origins: Float64Array | undefined;
  if (frame.hasOrigins) {
    origins = new Float64Array(bytes.buffer as ArrayBuffer, 0, frame.rows);
    at = origins.byteLength;
  }
  if (frame.shape !== undefined) {
    const lengths = new Uint16Array(bytes.buffer as ArrayBuffer, at, frame.rows * frame.shape.columns.length);
    const text = bytes.toString(frame.encoding, at + lengths.byteLength);
    return { rows: frame.shape.decode(text, lengths, origins, frame.rows) };
  }
  const rows = v8.deserialize(bytes.subarray(at)) as Row[];
  if (frame.exact === true) fromClone(rows);
  for (let i = 0; i < rows.length; i++) {
    const origin = origins?.[i];
    markOrigin(rows[i] as Row, Number.isNaN(origin) ? undefined : origin);
  }
  return { rows };
}

/**
 * A function that makes rows of one shape, so that the engine sees one hidden class. Column names are
 * untrusted: they enter only through JSON.stringify, and computed, or `__proto__` would set a prototype.
 */
function compileDecode(columns: readonly string[]): Decode {
  const fields = columns.map((name) => `[${JSON.stringify(name)}]: next()`).join(', ');
  const source = `
    let at = 0, k = 0;
    const next = () => {
      const length = lengths[k++];
      return length === ${NULL_LENGTH} ? null : text.slice(at, (at += length));
    };
    const out = new Array(rows);
    for (let i = 0; i < rows; i++) {
      out[i] = { ${fields} };
      if (origins !== undefined && origins[i] === origins[i]) mark(out[i], origins[i]);
    }
    return out;`;
  const decode = new Function('text', 'lengths', 'origins', 'rows', 'mark', source);
  return (text, lengths, origins, rows) => decode(text, lengths, origins, rows, markOrigin) as Row[];
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
