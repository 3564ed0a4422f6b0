import { isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';
import { textErrors } from '../../core/errors/catalogue/text.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';
import { visible } from '../../core/visible.js';

/** How many bytes at the start of an input are looked at to tell text from what is not. */
export const SNIFF_BYTES = 8192;

const MAGIC: readonly (readonly [string, string, string])[] = [
  [
    'PK\x03\x04',
    'a ZIP archive (an Excel workbook is one, too)',
    'a workbook is read from a file that is said to be one (--format xlsx); unpack any other archive',
  ],
  ['SQLite format 3\0', 'a SQLite database', 'save it to a file, and say what it is (--format sqlite)'],
  ['PGDMP', 'a PostgreSQL dump in custom format', 'restore it with pg_restore and read the table'],
  ['PAR1', 'a Parquet file', 'save it to a file, and say what it is (--format parquet)'],
  ['BZh', 'compressed with bzip2', 'pipe it in: bzcat FILE | sluice … -'],
  ['\xfd7zXZ\0', 'compressed with xz', 'pipe it in: xzcat FILE | sluice … -'],
  ['%PDF-', 'a PDF', 'export the data as CSV or JSON Lines'],
  ['\xd0\xcf\x11\xe0', 'an old Excel or Word file', 'save the sheet as .xlsx, or as CSV UTF-8'],
];

/**
 * What is wrong with `head` (the first bytes of `input`) as UTF-8 text, or undefined. A few NUL bytes are
 * not held against a text: they are values, and whoever cannot store them rejects the row.
 * Gives refused `binary_file`, `utf16_input`, `html_page`. `remote`: it is not of this machine.
 */
export function notText(head: Buffer, input: string, remote = false): SluiceError | undefined {
  const sample = head.subarray(0, SNIFF_BYTES);
  for (const [magic, what, next] of MAGIC) {
    if (sample.toString('latin1', 0, magic.length) === magic) {
      return textErrors.binary_file.known({ input, what, instead: next });
    }
  }
  const page = htmlPage(sample, input, remote);
  if (page !== undefined) return page;
  const utf16 = utf16Of(sample);
  if (utf16 !== undefined) {
    return textErrors.utf16_input({ input, encoding: utf16 });
  }
  let nuls = 0;
  let controls = 0;
  for (const byte of sample) {
    if (byte === 0) nuls++;
    else if (byte < 32 && (byte < 9 || byte > 13)) controls++;
  }
  const binary = isUtf8(wholeCharacters(sample))
    ? nuls > sample.length * 0.3
    : nuls + controls > sample.length * 0.05;
  if (!binary) return undefined;
  return textErrors.binary_file.other({ input });
}

/** A page where rows were meant: of a login, say, which was given with the status of success. */
function htmlPage(sample: Buffer, input: string, remote: boolean): SluiceError | undefined {
  const text = sample.toString('utf8');
  if (!/^\ufeff?\s*(?:<!--[^>]*-->\s*)*<(?:!doctype\s+html|html)[\s>]/i.test(text)) return undefined;
  if (!remote) return textErrors.html_page.file({ input });
  const title = /<title[^>]*>([^<]{1,100})/i.exec(text)?.[1]?.trim();
  return textErrors.html_page.remote({ input, title: title === undefined ? undefined : visible(title) });
}

function utf16Of(sample: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  if (sample[0] === 0xff && sample[1] === 0xfe) return 'utf-16le';
  if (sample[0] === 0xfe && sample[1] === 0xff) return 'utf-16be';
  // Without a mark: Latin text in UTF-16 has a NUL in every second byte, and in those only.
  let even = 0;
  let odd = 0;
  for (let i = 0; i < sample.length; i++) if (sample[i] === 0) i % 2 === 0 ? even++ : odd++;
  const half = sample.length / 2;
  if (half < 2) return undefined;
  if (odd > half * 0.6 && even < half * 0.1) return 'utf-16le';
  if (even > half * 0.6 && odd < half * 0.1) return 'utf-16be';
  return undefined;
}

/** `buffer` without a character that its end cuts in two; at most 3 bytes shorter. */
export function wholeCharacters(buffer: Buffer): Buffer {
  const end = buffer.length;
  for (let back = 1; back <= Math.min(3, end); back++) {
    const byte = buffer[end - back] as number;
    if (byte < 0x80) return buffer;
    if (byte >= 0xc0) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return needed > back ? buffer.subarray(0, end - back) : buffer;
    }
  }
  return buffer;
}

/** The offset of the first byte of `buffer` that is not part of well-formed UTF-8, or -1 (RFC 3629). */
export function firstInvalidUtf8(buffer: Buffer): number {
  let low = 0;
  while (low < buffer.length) {
    const byte = buffer[low] as number;
    const size = byte < 0x80 ? 1 : byte < 0xc2 ? 0 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : byte < 0xf5 ? 4 : 0;
    if (size === 0 || !isUtf8(buffer.subarray(low, low + size)) || low + size > buffer.length) return low;
    low += size;
  }
  return -1;
}

/** Whether `encoding` is UTF-8 by one of its names. Throws usage `unknown_encoding`. */
export function isUtf8Name(encoding: string): boolean {
  return decoderFor(encoding).encoding === 'utf-8';
}

/**
 * `bytes` in `encoding` (any label of the WHATWG Encoding Standard; there `latin1` means windows-1252)
 * as UTF-8. A byte order mark is dropped. Throws usage `unknown_encoding`, failed `invalid_encoding`.
 */
export async function* toUtf8(
  bytes: AsyncIterable<Buffer>,
  encoding: string,
  input: string,
): AsyncGenerator<Buffer, void> {
  const decoder = decoderFor(encoding);
  let offset = 0;
  const decode = (buffer?: Buffer) => {
    try {
      return Buffer.from(decoder.decode(buffer, { stream: buffer !== undefined }));
    } catch (cause) {
      const span =
        buffer === undefined ? `at its end` : `between bytes ${offset} and ${offset + buffer.length}`;
      throw textErrors.invalid_encoding({ input, encoding: decoder.encoding, span }, { offset, cause });
    }
  };
  for await (const buffer of bytes) {
    const text = decode(buffer);
    offset += buffer.length;
    if (text.length > 0) yield text;
  }
  const rest = decode();
  if (rest.length > 0) yield rest;
}

/** `bytes` as text, checked; a byte order mark is dropped. Throws failed `invalid_utf8` with the offset. */
export async function* utf8Text(bytes: AsyncIterable<Buffer>, input: string): AsyncGenerator<string, void> {
  let rest: Buffer = Buffer.alloc(0);
  let offset = 0;
  const checked = (buffer: Buffer) => {
    const bad = isUtf8(buffer) ? -1 : firstInvalidUtf8(buffer);
    if (bad >= 0) {
      throw textErrors.invalid_utf8.file({ input, offset: offset + bad });
    }
    const text = buffer.toString('utf8');
    return offset === 0 && text.startsWith('\ufeff') ? text.slice(1) : text;
  };
  for await (const buffer of bytes) {
    const all = rest.length === 0 ? buffer : Buffer.concat([rest, buffer]);
    const whole = wholeCharacters(all);
    if (whole.length > 0) yield checked(whole);
    offset += whole.length;
    rest = Buffer.from(all.subarray(whole.length));
  }
  if (rest.length > 0) yield checked(rest);
}

function decoderFor(encoding: string): TextDecoder {
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch (cause) {
    throw textErrors.unknown_encoding({ encoding }, { cause });
  }
}
