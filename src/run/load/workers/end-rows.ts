import { deserialize, serialize } from 'node:v8';
import type { Client } from 'pg';
import { fromClone, toClone } from '../../../core/json/clone.js';
import { type Chunk, markOrigin, originOf, type Row } from '../../../core/row.js';
import type { Database } from '../../../core/run.js';
import type { Staging } from '../../../core/types.js';
import { qualified } from '../../../db/quote.js';

/** Chunks that are read at a time. */
const CHUNKS = 50;

/** In the staging schema: rows of parts for ends that are no tables, on their way to the host that fills these. */
const tableOf = (staging: string): string => qualified(staging, 'sluice_end_rows');

/** Makes the table, where it is missing. */
export const endRowsSql = (staging: string): string =>
  `CREATE TABLE IF NOT EXISTS ${tableOf(staging)} (
  flow integer NOT NULL, starts_at bigint NOT NULL, branch text NOT NULL, number integer NOT NULL, chunk bytea NOT NULL,
  PRIMARY KEY (flow, starts_at, branch, number))`;

/** The rows of one part for ends that are no tables, by the way to each. */
export class EndRows {
  #chunks: { readonly branch: string; readonly chunk: Buffer }[] = [];

  /** What stands in the end's place where its rows are only kept. */
  open(branch: string): Staging {
    let rows = 0;
    return {
      write: async (chunk) => {
        rows += chunk.length;
        this.#chunks.push({ branch, chunk: packed(chunk) });
      },
      close: async () => rows,
      discard: async () => {},
    };
  }

  /** Begins another part. */
  clear(): void {
    this.#chunks = [];
  }

  /** Sends them in the transaction of the part. */
  async send(client: Client, staging: string, flow: number, start: number): Promise<void> {
    const chunks = this.#chunks;
    this.clear();
    if (chunks.length === 0) return;
    await client.query(
      `INSERT INTO ${tableOf(staging)} (flow, starts_at, branch, number, chunk)
       SELECT $1, $2, branch, number, chunk FROM unnest($3::text[], $4::bytea[]) WITH ORDINALITY AS t (branch, chunk, number)`,
      [flow, start, chunks.map(({ branch }) => branch), chunks.map(({ chunk }) => chunk)],
    );
  }
}

/** The rows of a part for one end, in their order. */
export async function* sentRows(
  database: Database,
  staging: string,
  { flow, start, branch }: { readonly flow: number; readonly start: number; readonly branch: string },
): AsyncGenerator<Chunk, void> {
  for (let last = 0; ; ) {
    const rows = await database.query<{ number: number; chunk: Buffer }>(
      `SELECT number, chunk FROM ${tableOf(staging)}
       WHERE flow = $1 AND starts_at = $2 AND branch = $3 AND number > $4 ORDER BY number LIMIT ${CHUNKS}`,
      [flow, start, branch, last],
    );
    for (const { chunk } of rows) yield unpacked(chunk);
    if (rows.length < CHUNKS) return;
    last = rows.at(-1)?.number ?? last;
  }
}

/** Symbols do not survive cloning: where rows come from goes beside them. */
function packed(chunk: Chunk): Buffer {
  return serialize({ rows: chunk.map(toClone), origins: chunk.map(originOf) });
}

function unpacked(bytes: Buffer): Chunk {
  const { rows, origins } = deserialize(bytes) as { rows: Row[]; origins: (number | undefined)[] };
  return rows.map((row, at) => markOrigin(fromClone(row) as Row, origins[at]));
}
