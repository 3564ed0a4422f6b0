import { createReadStream, readFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from } from 'pg-copy-streams';
import type { Step } from './script.js';

// node script-runner.js URL STEPS.json: what psql would do, for machines without it.
const [url, file] = process.argv.slice(2) as [string, string];
const client = new pg.Client({ connectionString: url });
await client.connect();
for (const step of JSON.parse(readFileSync(file, 'utf8')) as Step[]) {
  if (typeof step === 'string') await client.query(step);
  else
    await pipeline(
      createReadStream(step.file, { highWaterMark: 1 << 18 }),
      client.query(from(`COPY ${step.into} FROM STDIN WITH (FORMAT csv, HEADER)`)),
    );
}
await client.end();
