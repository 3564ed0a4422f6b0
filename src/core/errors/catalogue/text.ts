import { again } from '../../next.js';
import { plural } from '../../plural.js';
import { failure, misuse, refusal, topic } from './entry.js';
import { AS_THE_COMMAND_ENDS, NOTHING_PUBLISHED } from './state.js';

/** Packed data, and how far they were read. */
interface Packed {
  readonly input: string;
  readonly kind: string;
  readonly read: number;
  /** Bytes of text that they gave. */
  readonly gave: number;
}

const howFar = ({ read, gave }: Packed) =>
  `${plural(read, 'byte')} of it gave ${plural(gave, 'byte')} of text`;

const writeAgain = (kind: string) => `fetch or write the file again, then test it: ${kind} -t`;

/** Errors of bytes that are no text, of no known encoding, or packed. */
export const textErrors = topic({
  binary_file: {
    known: refusal(({ input, what, instead }: { input: string; what: string; instead: string }) => ({
      says: `${input} is ${what}, not text`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: instead,
    })),
    other: refusal(({ input }: { input: string }) => ({
      says: `${input} holds binary data, not text`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: 'export it as CSV or JSON Lines; gzip and zstd are read as they are',
    })),
  },
  html_page: {
    file: refusal(({ input }: { input: string }) => ({
      says: `${input} is an HTML page, not rows`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: 'open it in a browser: a login page or an error message may have been saved in place of the data',
    })),
    remote: refusal(({ input, title }: { input: string; title: string | undefined }) => ({
      says: `${input} gives an HTML page${title === undefined ? '' : ` (“${title}”)`}, not rows`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: 'open the URL in a browser: it may be a login page; then give a login (docs/remote.md), or name the URL of the file itself',
    })),
  },
  utf16_input: refusal(({ input, encoding }: { input: string; encoding: string }) => ({
    says: `${input} is UTF-16 text (${encoding}), not UTF-8`,
    input,
    state: AS_THE_COMMAND_ENDS,
    next: again(
      { flags: { encoding } },
      { otherwise: `read it with the encoding named: encoding: '${encoding}'` },
    ),
  })),
  invalid_encoding: failure(
    ({ input, encoding, span }: { input: string; encoding: string; span: string }) => ({
      says: `${input} is not valid ${encoding} ${span}`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: 'name the encoding that the file is in',
    }),
  ),
  invalid_utf8: {
    file: failure(({ input, offset }: { input: string; offset: number }) => ({
      says: `${input} is not UTF-8: the byte at offset ${offset}`,
      input,
      offset,
      state: AS_THE_COMMAND_ENDS,
      next: 'name the encoding that the file is in: windows-1252, say',
    })),
    query: failure(({ ordinal }: { ordinal: number }) => ({
      says: `a row from the ${ordinal}th on holds bytes that are no UTF-8`,
      state: NOTHING_PUBLISHED,
      next: "the database is SQL_ASCII, which keeps bytes as they came: have the query give text, convert_from(convert_to(name, 'SQL_ASCII'), 'LATIN1'), say",
    })),
  },
  unknown_encoding: misuse(({ encoding }: { encoding: string }) => ({
    says: `there is no encoding called ${encoding}`,
    next: 'use utf-8, utf-16le, utf-16be, windows-1252, iso-8859-2, shift_jis, … (WHATWG labels)',
  })),
  truncated_input: failure((packed: Packed) => ({
    says: `${packed.input}: the ${packed.kind} data end too early: ${howFar(packed)}`,
    input: packed.input,
    offset: packed.read,
    state: AS_THE_COMMAND_ENDS,
    next: writeAgain(packed.kind),
  })),
  corrupt_input: failure((packed: Packed & { why: string | undefined }) => ({
    says: `${packed.input}: the ${packed.kind} data are damaged (${packed.why}): ${howFar(packed)}`,
    input: packed.input,
    offset: packed.read,
    state: AS_THE_COMMAND_ENDS,
    next: writeAgain(packed.kind),
  })),
  window_too_large: failure(({ input, read, why }: Packed & { why: string | undefined }) => ({
    says: `${input}: ${why}`,
    input,
    offset: read,
    state: AS_THE_COMMAND_ENDS,
    next: 'unpack it beforehand, or pack it with a smaller window: zstd -dc --long=31 FILE | zstd -o SMALLER',
  })),
  cannot_unpack: failure(({ input, read, kind, why }: Packed & { why: string | undefined }) => ({
    says: `${input} could not be unpacked: ${why}`,
    input,
    offset: read,
    state: AS_THE_COMMAND_ENDS,
    next: writeAgain(kind),
  })),
  record_too_long: {
    line: failure(({ input, line, limit }: { input: string; line: number; limit: number }) => ({
      says: `${input}: line ${line} is longer than ${limit} bytes`,
      input,
      line,
      state: AS_THE_COMMAND_ENDS,
      next: 'check the line ends of the file; for one JSON array use json(); maxRecordBytes raises the limit',
    })),
    csv: failure(
      ({ input, line, limit, quoted }: { input: string; line: number; limit: number; quoted: boolean }) => ({
        says: `${input}: the record that starts on line ${line} is longer than ${limit} bytes`,
        input,
        line,
        details: quoted ? ['it has a quote in it: perhaps one that is never closed'] : undefined,
        state: AS_THE_COMMAND_ENDS,
        next: 'check that line, the delimiter and the line ends; maxRecordBytes raises the limit',
      }),
    ),
    csvDialect: failure(({ input, why }: { input: string; why: string }) => ({
      says: `${input}: ${why}`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: 'check that line, the quotes and the delimiter; maxRecordBytes raises the limit',
    })),
    json: failure(({ input, offset, limit }: { input: string; offset: number; limit: number }) => ({
      says: `${input}: one value after byte ${offset} is longer than ${limit} bytes`,
      input,
      offset,
      state: AS_THE_COMMAND_ENDS,
      next: 'check that the array of rows is the one meant (at); maxRecordBytes raises the limit',
    })),
  },
});
