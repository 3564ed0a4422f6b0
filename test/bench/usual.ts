import { createReadStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parse } from 'csv-parse';
import pg from 'pg';
import { from } from 'pg-copy-streams';

// node usual.js URL FILE STATEMENTS-BEFORE STATEMENTS-AFTER: how such a loader is usually written for Node,
// one object a row through csv-parse, a Transform in object mode, and pg-copy-streams.
const [url, file, before, after] = process.argv.slice(2) as [string, string, string, string];
const client = new pg.Client({ connectionString: url });
await client.connect();
for (const sql of JSON.parse(before) as string[]) await client.query(sql);
const escaped = (value: string) =>
  value.replace(/[\\\t\n\r]/g, (c) => ({ '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' })[c] ?? c);
await pipeline(
  createReadStream(file),
  parse({ columns: true }),
  new Transform({
    writableObjectMode: true,
    transform(row: Record<string, string>, _encoding, done) {
      const fields = Object.values(row).map((value) => (value === '' ? '\\N' : escaped(value)));
      done(null, `${fields.join('\t')}\n`);
    },
  }),
  client.query(from('COPY incoming.events FROM STDIN')),
);
for (const sql of JSON.parse(after) as string[]) await client.query(sql);
await client.end();
