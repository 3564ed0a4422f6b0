import type pg from 'pg';
import { columnForms } from '../../sinks/load/column-checks/bytes.js';
import { CopyIn } from '../../sinks/load/copy/copy-in.js';
import { CopyBuffer } from '../../sinks/load/encode/copy-buffer.js';
import { copyEncoder } from '../../sinks/load/encode/encoder.js';
import type { Row } from '../../src/core/row.js';
import type { ColumnFacts } from '../../src/db/catalog/columns.js';
import { ident, idents, literal } from '../../src/db/quote.js';
import { strictParser } from '../../src/sources/csv/fast.js';

/** A CSV text without a header whose fields are those of a table, and the table, which exists. */
export interface Lanes {
  readonly client: pg.Client;
  readonly table: string;
  readonly columns: readonly ColumnFacts[];
  readonly delimiter?: string;
  readonly null?: string;
}

/** Hands the bytes to the server as they are; its error where it refuses them. */
export async function raw(
  lanes: Lanes,
  bytes: Buffer,
  into = lanes.columns.map(({ name }) => name),
): Promise<Error | undefined> {
  const { delimiter = ',', null: nullText = '' } = lanes;
  const options = `FORMAT csv, DELIMITER ${literal(delimiter)}, NULL ${literal(nullText)}`;
  return copy(lanes, `COPY ${ident(lanes.table)} (${idents(into)}) FROM STDIN (${options})`, bytes);
}

/** What of the bytes, which begin where a record does, our reader and encoder take, encoded; and what they reject. */
export function read(
  { columns, delimiter, null: nullText }: Lanes,
  bytes: Buffer,
): { readonly text: Buffer; readonly rows: number; readonly rejects: string[] } {
  const rejects: string[] = [];
  const reject = (_: Row | undefined, { reason }: { readonly reason: string }) => {
    rejects.push(reason);
  };
  const parser = strictParser(
    'input',
    {
      header: false,
      columns: columns.map(({ name }) => name),
      ...(delimiter !== undefined && { delimiter }),
      ...(nullText !== undefined && { null: nullText }),
    },
    { reject },
  );
  // Behind a header nothing is taken for a byte order mark.
  parser.startAt({ offset: 0, line: 1 });
  const rows = [...parser.push(bytes), ...parser.end()];
  const out = new CopyBuffer(bytes.length + 1024);
  copyEncoder(columns).encode(rows, out, reject);
  return { text: Buffer.from(out.view()), rows: out.rows, rejects };
}

/** Hands to the server what our encoder has made; its error where it refuses it. */
export async function encoded(lanes: Lanes, text: Buffer): Promise<Error | undefined> {
  return copy(
    lanes,
    `COPY ${ident(lanes.table)} (${idents(lanes.columns.map(({ name }) => name))}) FROM STDIN`,
    text,
  );
}

async function copy({ client }: Lanes, sql: string, bytes: Buffer): Promise<Error | undefined> {
  const copying = new CopyIn(client, sql);
  try {
    await copying.write(bytes);
    await copying.finish();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** The forms of the columns, as fields of the text have them. */
export const formsOf = ({ columns }: Lanes) => columnForms(columns);
