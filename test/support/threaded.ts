import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { makingAgain, type Recipe } from '../../src/cli/elsewhere/recipe.js';
import { givenFiles } from '../../src/cli/given/inputs.js';
import { findPipeline } from '../../src/cli/given/pipelines.js';
import { sourcesOf } from '../../src/program/inputs.js';
import type { TestDatabase } from './database.js';
import { type Options, runOn } from './lots.js';

/** What stands between the source and the table of `writePipeline`, and what is imported for it. */
export interface Written {
  readonly stages?: string;
  readonly more?: string;
  /** What the column `thread` holds; default: the thread's number, 0 of the main one. */
  readonly thread?: string;
}

/**
 * Writes a pipeline into `folder` that loads hosts through the stages that are given, each of which keeps nothing; its
 * path. `host` is the table: id, name, address, and `thread`, which the first stage fills.
 */
export function writePipeline(
  folder: string,
  { stages = '', more = '', thread = 'threadId' }: Written = {},
): string {
  const path = join(folder, 'hosts.ts');
  writeFileSync(
    path,
    `import { append, csv, flow, pipeline, stateless } from 'sluice';
import { map, validate } from 'sluice/transforms';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { threadId } from 'node:worker_threads';
${more}
export default pipeline({
  name: 'hosts',
  summary: 'Hosts.',
  inputs: { hosts: csv('hosts.csv', { columns: ['id', 'name', 'address'] }) },
  tables: { hosts: append('hosts', { columns: ['id', 'name', 'address', 'thread'] }) },
  flows: ({ inputs, tables }) => [
    flow(inputs.hosts)
      .through(
        stateless(map((row) => ({ ...row, thread: ${thread} }), 'thread')),
        validate({ type: 'object', required: ['name'] }),
        ${stages}
      )
      .into(tables.hosts),
  ],
});
`,
  );
  return path;
}

export const HOSTS = 'CREATE TABLE hosts (id integer, name text NOT NULL, address inet, thread integer)';

/** Runs the pipeline at `path` with the input `source`, in parts of 64 KiB, by as many threads as the options say. */
export async function runThreaded(
  t: TestContext,
  database: TestDatabase,
  path: string,
  source: string,
  options: Options = {},
) {
  const { pipeline, from } = await findPipeline(path);
  const files = await givenFiles(pipeline, { input: [], source, encoding: [] });
  const recipe: Recipe = { kind: 'pipeline', from, files };
  return runOn(t, database, pipeline, {
    from,
    inputs: await sourcesOf(pipeline, files),
    again: makingAgain(recipe),
    segmentBytes: 1,
    threads: 2,
    ...options,
  });
}
