import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { csvField } from '../core/csv-text.js';
import { fileErrors } from '../core/errors/catalogue/files.js';
import type { Row } from '../core/row.js';
import type { Run } from '../core/run.js';
import type { Source } from '../core/types.js';

/**
 * Writes the rows of `source` to a new CSV file of mode 0600 and gives their number. RFC 4180 with a header; NULL is
 * nothing and the empty text a pair of quotes, as COPY and the CSV source have it. Rows are streamed. Throws failed
 * `cannot_write`, and what the source throws.
 */
export async function writeCsv(
  path: string,
  columns: readonly string[],
  source: Source,
  run: Run,
): Promise<number> {
  const out = createWriteStream(path, { flags: 'wx', mode: 0o600, highWaterMark: 1 << 20 });
  const closed = finished(out);
  closed.catch(() => {});
  let rows = 0;
  try {
    const write = async (text: string) => {
      if (!out.write(text)) await Promise.race([once(out, 'drain'), closed]);
    };
    await write(`${columns.map(csvField).join(',')}\n`);
    for await (const chunk of source.read(run)) {
      await write(lines(chunk, columns));
      rows += chunk.length;
    }
    out.end();
    await closed;
    return rows;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (out.errored === null) throw error;
    throw fileErrors.cannot_write.ofBackup(
      { path, why: code === 'ENOSPC' ? 'no space left' : message },
      { cause: error },
    );
  } finally {
    out.destroy();
  }
}

function lines(chunk: readonly Row[], columns: readonly string[]): string {
  let text = '';
  for (const row of chunk) {
    for (let i = 0; i < columns.length; i++) {
      if (i > 0) text += ',';
      text += csvField(row[columns[i] as string] as string | null);
    }
    text += '\n';
  }
  return text;
}
