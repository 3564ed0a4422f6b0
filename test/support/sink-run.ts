import { tmpdir } from 'node:os';
import type { TestContext } from 'node:test';
import type { Row } from '../../src/core/row.js';
import type { Database, Rejection, Run } from '../../src/core/run.js';
import type { TestDatabase } from './database.js';

/** A run as sinks and sources see it, over a real database; what it is told is kept for the test to see. */
export interface SinkRun extends Run {
  readonly rejects: { readonly row: Row | undefined; readonly why: Rejection }[];
  readonly positions: { readonly bytes?: number; readonly rows?: number; readonly of?: number }[];
  stop(): void;
}

/** A run of the test's own. `snapshot`: an exported snapshot for sources to read by. */
export function sinkRun(_t: TestContext, database?: TestDatabase, snapshot?: string): SinkRun {
  const controller = new AbortController();
  const rejects: SinkRun['rejects'] = [];
  const positions: SinkRun['positions'] = [];
  const quiet = () => {};
  const none = async (): Promise<never> => {
    throw new Error('this run has no database');
  };
  const over: Database =
    database === undefined
      ? { query: none, connect: none }
      : {
          query: (sql, parameters) => database.query(sql, parameters),
          connect: (purpose) => database.connect({ application_name: purpose }),
          ...(snapshot === undefined ? {} : { snapshot: async () => snapshot }),
        };
  return {
    batch: 'b1',
    dryRun: false,
    startedAt: new Date(),
    signal: controller.signal,
    settings: {},
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    database: over,
    scratch: tmpdir(),
    share: (_key, make) => make(),
    rejects,
    positions,
    stop: () => controller.abort(),
    reject: (row: Row | undefined, why) => rejects.push({ row, why }),
    skip: quiet,
    merge: quiet,
    add: quiet,
    keep: quiet,
    leave: quiet,
    report: () => {},
    reportRows: () => {},
    wrote: () => {},
    progress: (position) => positions.push(position),
  };
}
