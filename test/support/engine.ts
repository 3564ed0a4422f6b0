import type { TestContext } from 'node:test';
import { flow } from '../../src/core/flow.js';
import { type Pipeline, type PipelineDefinition, pipeline } from '../../src/core/pipeline.js';
import type { Row } from '../../src/core/row.js';
import type { Target } from '../../src/core/target.js';
import type { Source } from '../../src/core/types.js';
import { addressOf } from '../../src/db/address.js';
import { PgDatabase } from '../../src/db/connect.js';
import type { RunOptions } from '../../src/run/given/options.js';
import { type Ran, runPipeline } from '../../src/run/run.js';
import { memory } from '../../src/sources/memory.js';
import { into } from './said.js';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** The engine as a command would use it, on a test's database, with what it told. */
export interface Engine {
  readonly database: PgDatabase;
  readonly log: typeof quiet;
  readonly warnings: string[];
  run(of: Pipeline, options?: Partial<RunOptions>): Promise<Ran>;
}

/** An engine with sessions of its own: a second one is another command. `url` may name another role. */
export function engine(t: TestContext, { url }: { readonly url: string }): Engine {
  const database = new PgDatabase({ url, described: addressOf(url, 'the test').described, from: 'the test' });
  t.after(() => database.close());
  const warnings: string[] = [];
  return {
    database,
    log: quiet,
    warnings,
    run: (of, options = {}) =>
      runPipeline(of, { database, log: quiet, events: { warn: into(warnings) }, ...options }),
  };
}

/** Rows in memory, read after `before` has happened. */
export function rowsAfter(rows: readonly Row[], before: () => Promise<unknown>): Source {
  const source = memory('rows', rows);
  return {
    ...source,
    async *read(run) {
      await before();
      yield* source.read(run);
    },
  };
}

/** A pipeline that loads each source into its target. */
export function loads(
  of: Readonly<Record<string, readonly [Target, Source | readonly Row[]]>>,
  more: Partial<
    Omit<PipelineDefinition<Record<string, Source>, Record<string, Target>>, 'inputs' | 'tables' | 'flows'>
  > = {},
): Pipeline {
  const names = Object.keys(of);
  const input = (name: string) => {
    const given = (of[name] as (typeof of)[string])[1];
    return Array.isArray(given) ? memory(name, given as readonly Row[]) : (given as Source);
  };
  return pipeline({
    name: 'test-load',
    summary: 'loads rows',
    inputs: Object.fromEntries(names.map((name) => [name, input(name)])),
    tables: Object.fromEntries(names.map((name) => [name, (of[name] as (typeof of)[string])[0]])),
    flows: ({ inputs, tables }) =>
      names.map((name) => flow(inputs[name] as Source).into(tables[name] as Target<never>)),
    ...more,
  });
}
