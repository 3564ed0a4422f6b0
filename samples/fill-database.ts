import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

/** Makes the tables of `schema` in the empty database at `url`, and lets `fill` fill them. */
export async function fillAt(
  url: string,
  schema: string,
  fill: (client: pg.Client) => Promise<void>,
): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(schema);
    await fill(client);
  } finally {
    await client.end();
  }
}

/** Copies pieces of COPY text into `target`: a table with the names of its columns, as COPY has them. */
export async function copyRows(client: pg.Client, target: string, text: Iterable<string>): Promise<void> {
  await pipeline(
    Readable.from(text, { objectMode: true }),
    client.query(copyFrom(`COPY ${target} FROM STDIN`)),
  );
}
