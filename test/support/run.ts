import { tmpdir } from 'node:os';
import type { Row } from '../../src/core/row.js';
import type { Database, Rejection, Run } from '../../src/core/run.js';
import { Shared } from '../../src/core/shared.js';
import type { Source } from '../../src/core/types.js';

/** A run of a test's own, with everything that was told to it. */
export interface TestRun extends Run {
  readonly rejects: (Rejection & { readonly row: Row | undefined })[];
  /** Rows by reason. */
  readonly skipped: Record<string, number>;
  readonly merged: Record<string, number>;
  readonly added: Record<string, number>;
  readonly kept: Record<string, number>;
  readonly logged: {
    level: string;
    message: string;
    facts?: Readonly<Record<string, unknown>> | undefined;
  }[];
  /** The last position told. */
  position: { bytes?: number; rows?: number; of?: number } | undefined;
  abort(reason?: unknown): void;
  /** Ends what the sources shared, as the end of a run does. */
  end(): Promise<void>;
}

/** A run that keeps what it is told; its database throws unless one is given. */
export function testRun(
  given: Partial<Pick<Run, 'batch' | 'dryRun' | 'settings' | 'database' | 'scratch'>> = {},
): TestRun {
  const controller = new AbortController();
  const shared = new Shared();
  const counter =
    (into: Record<string, number>) =>
    (reason: string, rows: number | readonly Row[] = 1) => {
      into[reason] = (into[reason] ?? 0) + (typeof rows === 'number' ? rows : rows.length);
    };
  const logged: TestRun['logged'] = [];
  const logger = (level: string) => (message: string, facts?: Readonly<Record<string, unknown>>) => {
    logged.push({ level, message, facts });
  };
  const [skipped, merged, added, kept, left]: Record<string, number>[] = [{}, {}, {}, {}, {}];
  const run: TestRun = {
    batch: 'test',
    dryRun: false,
    startedAt: new Date(),
    settings: {},
    scratch: tmpdir(),
    share: (key, make, release) => shared.share(key, make, release),
    database: noDatabase,
    ...given,
    signal: controller.signal,
    log: { debug: logger('debug'), info: logger('info'), warn: logger('warn'), error: logger('error') },
    rejects: [],
    skipped: skipped as Record<string, number>,
    merged: merged as Record<string, number>,
    added: added as Record<string, number>,
    kept: kept as Record<string, number>,
    logged,
    position: undefined,
    reject: (row: Row | undefined, why) => run.rejects.push({ ...why, row }),
    skip: counter(skipped as Record<string, number>),
    merge: counter(merged as Record<string, number>),
    add: counter(added as Record<string, number>),
    keep: counter(kept as Record<string, number>),
    leave: counter(left as Record<string, number>),
    report: () => {},
    reportRows: () => {},
    wrote: () => {},
    progress: (position) => {
      run.position = position;
    },
    abort: (reason) => controller.abort(reason),
    end: () => shared.releaseAll(),
  };
  return run;
}

const noDatabase: Database = {
  query: () => Promise.reject(new Error('this test run has no database')),
  connect: () => Promise.reject(new Error('this test run has no database')),
};

/** All rows of `source`, each a plain object without its origin. */
export async function rowsOf(source: Source, run: Run = testRun()): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const chunk of source.read(run)) for (const row of chunk) rows.push(plain(row));
  return rows;
}

/** A copy of `row` that has its columns only. */
export function plain(row: Row): Row {
  return Object.fromEntries(Object.entries(row));
}
