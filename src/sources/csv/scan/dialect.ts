import { type CsvOptions, isStrict } from '../options.js';

/** How a text is written that COPY is told of. */
export interface RawDialect {
  /** Its byte. */
  readonly delimiter: number;
  /** Unquoted bytes that mean NULL. */
  readonly nullText: Buffer;
}

/** The dialect of such a file where COPY can be told of it: our own reader's alone, and with what COPY takes as NULL. */
export function rawDialect(options: CsvOptions): RawDialect | undefined {
  const { delimiter = ',', null: nullText = '' } = options;
  if (!isStrict(options) || /[\0\r\n"]/.test(delimiter)) return undefined;
  if (/[\0\r\n"]/.test(nullText) || nullText.includes(delimiter)) return undefined;
  return { delimiter: delimiter.charCodeAt(0), nullText: Buffer.from(nullText) };
}
