import { flow } from '../../src/core/flow.js';
import {
  type Check,
  check,
  type Pipeline,
  pipeline,
  type Validation,
  validation,
} from '../../src/core/pipeline.js';
import { append, replace } from '../../src/core/target.js';
import { memory } from '../../src/sources/memory.js';
import type { TestDatabase } from './database.js';
import { things } from './things.js';
import { until } from './until.js';

/** A place in a run at which it can be made to wait on the server for a minute. */
export interface SlowPlace {
  readonly name: string;
  /** Makes the database slow there. */
  readonly sql?: string;
  readonly pipeline: Pipeline;
  /** What the waiting session's application name says. */
  readonly session: RegExp;
}

const SLOW = `CREATE FUNCTION slow(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN IF $1 LIKE 'thing%' THEN PERFORM pg_sleep(60); END IF; RETURN $1; END $$;`;

const made = (
  mode: 'append' | 'replace',
  more: { readonly checks?: readonly Check[]; readonly validations?: readonly Validation[] } = {},
) =>
  pipeline({
    name: 'slow-things',
    summary: 'Things that take a minute each.',
    inputs: { things: memory('new things', things(3)) },
    tables: {
      things: (mode === 'append' ? append : replace)('things', { columns: ['id', 'name'] }),
    },
    ...more,
    flows: ({ inputs, tables }) => [flow(inputs.things).into(tables.things)],
  });

/** Where a run may wait for the server; `things` is the table of thingsDatabase. */
export const SLOW_PLACES: readonly SlowPlace[] = [
  {
    name: 'a COPY',
    sql: `${SLOW} CREATE DOMAIN slow_text AS text CHECK (slow(VALUE) IS NOT NULL);
      ALTER TABLE things ALTER name TYPE slow_text`,
    pipeline: made('replace'),
    session: /load/,
  },
  {
    name: 'a validation',
    pipeline: made('replace', {
      validations: [
        validation('slow', 'slow', async ({ database }) => {
          await database.query('SELECT pg_sleep(60)');
          return [];
        }),
      ],
    }),
    session: /control/,
  },
  {
    name: 'an index build',
    sql: `${SLOW} CREATE INDEX ON things (slow(name))`,
    pipeline: made('replace'),
    session: /control|indexes/,
  },
  {
    name: 'the publishing window',
    sql: `${SLOW} CREATE FUNCTION slow_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM public.slow(NEW.name); RETURN NEW; END $$;
      CREATE TRIGGER slow BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION slow_row()`,
    pipeline: made('append'),
    session: /publish/,
  },
];

/** A run whose own question, asked before anything is written, takes a minute. */
export const slowCheck: Pipeline = made('replace', {
  checks: [
    check('slow', 'slow', async ({ database }) => {
      await database.query('SELECT pg_sleep(60)');
      return [];
    }),
  ],
});

/** Waits until a session is at it, and gives its process id; throws where none comes to it. */
export async function waitUntilSlow(database: TestDatabase, session: RegExp): Promise<number> {
  return until(`a session like ${session} that waits`, async () => {
    const found = await database.query<{ pid: number; name: string }>(
      `SELECT pid, application_name AS name FROM pg_stat_activity
       WHERE datname = current_database() AND state = 'active' AND wait_event = 'PgSleep'`,
    );
    const slow = found.find(({ name }) => session.test(name));
    return slow?.pid;
  });
}
