import type { TestContext } from 'node:test';
import { type Branch, type FlowBuilder, flow } from '../../src/core/flow.js';
import { type Pipeline, pipeline } from '../../src/core/pipeline.js';
import { replace } from '../../src/core/target.js';
import { named, type Sink, type Source, type Stage } from '../../src/core/types.js';
import { memory } from '../../src/sources/memory.js';
import { type TestDatabase, testDatabase } from './database.js';

/** A row of the table `things`. */
export type Thing = { readonly id: string; readonly name: string };

/** `count` things from 1 on. */
export const things = (count: number): Thing[] =>
  Array.from({ length: count }, (_, i) => ({ id: String(i + 1), name: `thing ${i + 1}` }));

/** A database with a table `things` that holds one old thing. */
export async function thingsDatabase(t: TestContext): Promise<TestDatabase> {
  const database = await testDatabase(t);
  await database.query(`
    CREATE TABLE things (id integer PRIMARY KEY, name text NOT NULL);
    INSERT INTO things VALUES (0, 'the old one')`);
  return database;
}

export interface Parts {
  readonly source?: Source<Thing>;
  readonly rows?: number;
  readonly stage?: Stage<Thing>;
  /** Further ends, beside the table. */
  readonly ends?: readonly Sink<Thing>[];
  readonly more?: Partial<Pick<Pipeline, 'checks' | 'validations' | 'settings'>>;
}

const asIs: Stage<Thing> = named('as is', (rows) => rows);

/** A pipeline that replaces `things`. */
export const thingsPipeline = ({
  rows = 10,
  source,
  stage = asIs,
  ends = [],
  more = {},
}: Parts = {}): Pipeline =>
  pipeline({
    name: 'things',
    summary: 'Things.',
    inputs: { things: source ?? memory('new things', things(rows)) },
    tables: { things: replace('things', { columns: ['id', 'name'] }) },
    ...more,
    flows: ({ inputs, tables }) => [
      flow(inputs.things)
        .through(stage)
        .fork(
          (way) => way.into(tables.things),
          ...ends.map((end) => (way: FlowBuilder<Thing, Branch>) => way.into(end)),
        ),
    ],
  });
