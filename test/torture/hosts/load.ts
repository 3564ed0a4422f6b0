import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Parts of the input: text has 4 MiB in each. */
export const PARTS = 20;
/** Rows of a part, roughly: a row has about 2 KiB. */
const ROWS_EACH = 2_000;
const ROWS = PARTS * ROWS_EACH;
/** Which rows are no rows: one in so many. */
const BROKEN = 5_000;

/** The row in the middle of a part. */
export const middleOf = (part: number): number => Math.floor((part + 0.5) * ROWS_EACH);

/**
 * The first process that comes to the row which stands in the file `hold` takes that away and waits, in the middle of its
 * part, as long as there is a file `held`; and every process says what time it is there.
 */
const PIPELINE = `import { csv, flow, pipeline, replace, stateless } from 'sluice';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
const said = new Set();
const holdAt = () => { try { return readFileSync('hold', 'utf8'); } catch { return undefined; } };
export default pipeline({
  name: 'hosts',
  summary: 'What hosts load.',
  inputs: { things: csv('things.csv', { columns: ['id', 'name', 'tags'] }) },
  tables: { things: replace('things', { columns: ['id', 'name', 'tags'] }) },
  flows: ({ inputs, tables }) => [
    flow(inputs.things)
      .through(stateless(async function* hold(rows) {
        if (!said.has(process.pid)) {
          said.add(process.pid);
          writeFileSync('clock-' + process.pid, String(Date.now()));
        }
        for await (const chunk of rows) {
          const at = holdAt();
          if (at !== undefined && chunk.some((row) => row.id === at)) {
            try {
              renameSync('hold', 'taken');
              writeFileSync('held', String(process.pid));
              while (existsSync('held')) await sleep(20);
            } catch (error) {
              if (error.code !== 'ENOENT') throw error;
            }
          }
          yield chunk;
        }
      }))
      .into(tables.things),
  ],
});
`;

/** Writes the pipeline things.ts and its input into `folder`. */
export function writeLoad(folder: string): void {
  writeFileSync(join(folder, 'things.ts'), PIPELINE);
  const lines = ['id,name,tags'];
  for (let id = 0; id < ROWS; id++) {
    const name = `${(id * 7919) % 100_003} `.repeat(400).slice(0, 2_080);
    lines.push(`${id % BROKEN === 7 ? 'no id' : id},${name},"{a,b ${id}}"`);
  }
  writeFileSync(join(folder, 'things.csv'), `${lines.join('\n')}\n`);
}

/** The table before, in an empty database. */
export const SYSTEM = `CREATE TABLE things (id integer PRIMARY KEY, name text NOT NULL, tags text[])`;

/** Makes the table what it was before: what it was made of last is not known any more. */
export const BEFORE = `TRUNCATE things; INSERT INTO things SELECT n, 'old', NULL FROM generate_series(1, 500) n`;

/** What the command is to load with. */
export const RUN = ['run', './things.ts', '--workers', '--max-rejects', '100', '--yes', '--json'];
