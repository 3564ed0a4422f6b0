import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { breaches, type Reasons, type StageAccount, type StageCounter, tally } from '../core/accounting.js';
import { loadErrors } from '../core/errors/catalogue/load.js';
import { testingErrors } from '../core/errors/catalogue/testing.js';
import { accountName } from '../core/flow.js';
import { follow } from '../core/follow.js';
import type { Report } from '../core/report.js';
import { type AnyRow, anyColumns, markOrigin, originOf, type Row } from '../core/row.js';
import type { Database, Log, Rejection, Run } from '../core/run.js';
import { Shared } from '../core/shared.js';
import type { Sink, Source, Stage } from '../core/types.js';
import { usersDatabase } from '../db/users-database.js';
import { withDatabase } from '../program/database.js';
import { databaseNamed } from '../program/database-named.js';

/** A row that the stage set aside, why, and the line (1-based) of the rows given that it came from. */
export interface TestedReject extends Rejection {
  readonly row: Row | undefined;
}

/** What a stage did with the rows that it was given. */
export interface TestedStage<Out extends AnyRow = AnyRow> {
  readonly rows: readonly Out[];
  readonly rejects: readonly TestedReject[];
  /** Rows by reason, as the accounts of a run have them. */
  readonly skipped: Reasons;
  readonly merged: Reasons;
  readonly added: Reasons;
  /** Part of `rows`: passed on as they were, there being nothing to do; or though something is wrong with them. */
  readonly kept: Reasons;
  readonly left: Reasons;
  readonly reports: readonly Report[];
  readonly files: readonly { readonly path: string; readonly what: string }[];
}

export interface TestStageOptions {
  /** What the stage finds in `run.settings`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Rows of a chunk; the stage is run once for each, and must do the same. Default: 2048, 1, 2, 3, 7. */
  readonly chunkSizes?: readonly number[];
  /** The URL of a database, for stages that ask one. Default: there is none. */
  readonly database?: string;
  /** What the stage finds in `run.startedAt`. Default: 1 January 2025, 00:00 UTC. */
  readonly startedAt?: Date;
  readonly signal?: AbortSignal;
}

const CHUNK_SIZES = [2048, 1, 2, 3, 7];

/**
 * Runs `stage` over `rows` as the engine does, once for each chunk size, and gives what it did. Rows have their place
 * (1-based) as their origin. Throws what the stage throws, as a run would say it (`stage_failed`); `unaccounted_rows` where
 * rows in + added = rows out + rejected + skipped + merged does not hold, or the stage stopped reading before the end;
 * `depends_on_chunks` where another chunk size gives another result; `scratch_left` where it leaves files behind.
 */
export async function testStage<In extends AnyRow, Out extends AnyRow>(
  stage: Stage<In, Out>,
  rows: readonly In[],
  options: TestStageOptions = {},
): Promise<TestedStage<Out>> {
  const signal = options.signal ?? new AbortController().signal;
  if (options.database === undefined) return eachSize(stage, rows, options, NO_DATABASE, signal);
  const address = databaseNamed(options.database, 'the option database', {});
  return withDatabase(address, { signal }, ({ database }) =>
    eachSize(stage, rows, options, usersDatabase(database), signal),
  );
}

async function eachSize<In extends AnyRow, Out extends AnyRow>(
  stage: Stage<In, Out>,
  rows: readonly In[],
  options: TestStageOptions,
  database: Database,
  signal: AbortSignal,
): Promise<TestedStage<Out>> {
  const [first = 2048, ...others] = options.chunkSizes ?? CHUNK_SIZES;
  const tested = (size: number) =>
    inScratch((scratch) => once(stage, rows, size, { ...options, database, scratch, signal }));
  const result = await tested(first);
  for (const size of others) {
    const other = await tested(size);
    if (isDeepStrictEqual(other, result)) continue;
    const differing = (Object.keys(result) as (keyof TestedStage)[]).filter(
      (key) => !isDeepStrictEqual(result[key], other[key]),
    );
    throw testingErrors.depends_on_chunks(
      { stage: accountName.stage(stage as unknown as Stage), size, other: first, differing },
      { details: differing.flatMap((key) => [shown(first, key, result), shown(size, key, other)]) },
    );
  }
  return result;
}

const shown = (size: number, key: keyof TestedStage, tested: TestedStage) =>
  `${key} with chunks of ${size}: ${JSON.stringify(tested[key], asText).slice(0, 500)}`;

/** JSON has no bigint. */
const asText = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value);

/** One pass, by the engine's own way through a flow. */
async function once<In extends AnyRow, Out extends AnyRow>(
  stage: Stage<In, Out>,
  rows: readonly In[],
  size: number,
  given: Pick<TestStageOptions, 'settings' | 'startedAt'> & Pick<Run, 'database' | 'scratch' | 'signal'>,
): Promise<TestedStage<Out>> {
  const out: Out[] = [];
  const told: Told = { rejects: [], reports: [], files: [] };
  const shared = new Shared();
  const sink: Sink<Out> = {
    name: 'the test',
    writes: 'nothing',
    open: async () => ({
      write: async (chunk) => void out.push(...chunk),
      close: async () => out.length,
      discard: async () => {},
    }),
  };
  try {
    // The row types are the caller's, and the engine has forgotten them.
    const plan = { source: inChunks(rows, size), root: { stages: [stage], into: sink } } as unknown;
    const account = await follow(plan as Parameters<typeof follow>[0], {
      signal: given.signal,
      runFor: (counter, _, signal) => recording(counter, told, { ...given, shared, signal }),
      open: (end, run) => (end as Sink).open(run),
      afterChunk: () => undefined,
    });
    const broken = breaches([account]);
    if (broken.length > 0)
      throw loadErrors.unaccounted_rows.stages({ first: broken[0] as string }, { details: broken.slice(1) });
    const { skipped, merged, added, kept, left = {} } = account.stages[1] as StageAccount;
    return { rows: out, ...told, skipped, merged, added, kept, left };
  } finally {
    await shared.releaseAll();
  }
}

interface Told {
  readonly rejects: TestedReject[];
  readonly reports: Report[];
  readonly files: { readonly path: string; readonly what: string }[];
}

/** A run that counts as the engine's does, and keeps what it is told. */
function recording(
  counter: StageCounter,
  told: Told,
  given: Pick<TestStageOptions, 'settings' | 'startedAt'> &
    Pick<Run, 'database' | 'scratch' | 'signal'> & { readonly shared: Shared },
): Run {
  const rowsOf = (rows: number | readonly AnyRow[]) => (typeof rows === 'number' ? rows : rows.length);
  return {
    batch: undefined,
    dryRun: true,
    startedAt: given.startedAt ?? new Date(Date.UTC(2025, 0, 1)),
    signal: given.signal,
    settings: given.settings ?? {},
    log: SILENT,
    database: given.database,
    scratch: given.scratch,
    share: (key, make, release) => given.shared.share(key, make, release),
    reject(row, why) {
      tally(counter.rejected, why.reason, 1);
      const line = why.line ?? (row === undefined ? undefined : originOf(row));
      told.rejects.push({
        ...why,
        row: row === undefined ? undefined : anyColumns(row),
        ...(line === undefined ? {} : { line }),
      });
    },
    skip: (reason, rows = 1) => tally(counter.skipped, reason, rowsOf(rows)),
    merge: (reason, rows = 1) => tally(counter.merged, reason, rowsOf(rows)),
    add: (reason, rows = 1) => tally(counter.added, reason, rows),
    keep: (reason, rows = 1) => tally(counter.kept, reason, rows),
    leave: (reason, rows = 1) => tally(counter.left, reason, rows),
    report(report) {
      const at = told.reports.findIndex(({ name }) => name === report.name);
      told.reports.splice(at < 0 ? told.reports.length : at, 1, report);
    },
    reportRows: () => {},
    wrote: (path, what) => void told.files.push({ path, what }),
    progress: () => {},
  };
}

/** `rows` as a source, so many of them in a chunk. */
function inChunks<R extends AnyRow>(rows: readonly R[], size: number): Source<R> {
  return {
    name: 'rows of a test',
    kind: 'memory',
    async *read() {
      for (let at = 0; at < rows.length; at += size)
        yield rows.slice(at, at + size).map((row, i) => markOrigin({ ...row }, at + i + 1));
    },
  };
}

/** `work` with a folder for scratch files, which must be empty again when it is done, whether it throws or not. */
async function inScratch<T>(work: (scratch: string) => Promise<T>): Promise<T> {
  const scratch = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  const ended = await work(scratch).then(
    (value) => ({ value }),
    (cause: unknown) => ({ cause }),
  );
  const files = await readdir(scratch);
  await rm(scratch, { recursive: true });
  if (files.length > 0) throw testingErrors.scratch_left({ files }, 'cause' in ended ? ended : {});
  if ('cause' in ended) throw ended.cause;
  return ended.value;
}

const nothing = () => {};
const SILENT: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

const none = async (): Promise<never> => {
  throw testingErrors.no_database();
};
const NO_DATABASE: Database = { query: none, connect: none };
