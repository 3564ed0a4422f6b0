import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A pipeline as a user writes it: TypeScript in a folder where nothing is installed. */
const USER_PIPELINE = `
import { flow, type Row, type Run, pipeline, replace, type Source } from 'sluice';
import { filter, map } from 'sluice/transforms';
import { report } from 'sluice/sinks';
import { shout } from './lib/shout.js';

type Thing = { readonly id: string; readonly name: string };

enum Kind { Old, New }

const numbers: Source<Thing> = {
  name: 'numbers',
  kind: 'memory',
  columns: ['id', 'name'],
  async *read(run: Run) {
    const rows: Thing[] = [];
    for (let n = 1; n <= Number(run.settings.rows); n++) rows.push({ id: String(n), name: \`thing \${n}\` });
    if (rows.length > 0) yield rows;
    if (run.settings.wait === 'no') return;
    process.stderr.write('the source waits\\n');
    const alive = setInterval(() => {}, 1000);
    await new Promise<void>((resolve) => run.signal.addEventListener('abort', () => resolve()));
    clearInterval(alive);
  },
};

export default pipeline({
  name: 'things',
  summary: 'Things by their numbers',
  inputs: { things: numbers },
  tables: { things: replace('things', { columns: ['id', 'name'] }) },
  settings: {
    rows: { summary: 'how many', default: '10' },
    wait: { summary: 'wait for ever', default: 'no', values: ['no', 'yes'] },
    bad: { summary: 'so many are rejected', default: '0' },
  },
  flows: ({ inputs, tables, settings }) => [
    flow(inputs.things)
      .through(
        filter((row) => row.id !== '13', 'unlucky'),
        map((row) => ({ id: Number(row.id) <= Number(settings.bad) ? 'x' + row.id : row.id, name: shout(row.name, Kind.New) }), 'shout'),
      )
      .into(tables.things),
  ],
});
`;

const SHOUT =
  'export const shout = (text: string, times: number): string => text.toUpperCase() + "!".repeat(times);\n';

/** Writes the pipeline into `folder` and gives its path. */
export function writeUserPipeline(folder: string): string {
  const path = join(folder, 'things.ts');
  writeFileSync(path, USER_PIPELINE);
  const helper = join(folder, 'lib', 'shout.ts');
  mkdirSync(dirname(helper), { recursive: true });
  writeFileSync(helper, SHOUT);
  return path;
}
