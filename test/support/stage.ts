import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type AnyRow, type Chunk, markOrigin, type Row, type Rows } from '../../src/core/row.js';
import type { Log, Rejection, Run } from '../../src/core/run.js';
import type { Stage } from '../../src/core/types.js';

/** What a stage did with its rows, besides passing them on. */
export interface Counted {
  readonly rejects: (Rejection & { readonly row: Row | undefined })[];
  readonly skipped: Record<string, number>;
  readonly merged: Record<string, number>;
  readonly added: Record<string, number>;
  readonly kept: Record<string, number>;
  readonly left: Record<string, number>;
}

export interface Ran<R extends AnyRow> extends Counted {
  readonly rows: R[];
}

export interface StageOptions {
  readonly settings?: Readonly<Record<string, string>>;
  readonly chunkSizes?: readonly number[];
  readonly signal?: AbortSignal;
}

/** Chunks of `size` rows, each row marked with its ordinal (1-based) unless it has an origin. */
export async function* inChunks<R extends AnyRow = Row>(
  rows: Iterable<R>,
  size: number,
): AsyncGenerator<R[]> {
  let chunk: R[] = [];
  let ordinal = 0;
  for (const row of rows) {
    chunk.push(markOrigin({ ...row }, ++ordinal));
    if (chunk.length === size) {
      yield chunk;
      chunk = [];
    }
  }
  if (chunk.length > 0) yield chunk;
}

/** A run that writes down what it is told; there is no database behind it. */
export function recordingRun(scratch: string, options: StageOptions = {}): { run: Run; counted: Counted } {
  const counted: Counted = { rejects: [], skipped: {}, merged: {}, added: {}, kept: {}, left: {} };
  const count =
    (into: Record<string, number>) =>
    (reason: string, rows: number | readonly Row[] = 1) => {
      into[reason] = (into[reason] ?? 0) + (typeof rows === 'number' ? rows : rows.length);
    };
  const silent = () => {};
  const log: Log = { debug: silent, info: silent, warn: silent, error: silent };
  const none = () => {
    throw new Error('this run has no database');
  };
  const run: Run = {
    batch: undefined,
    dryRun: true,
    startedAt: new Date(),
    signal: options.signal ?? new AbortController().signal,
    settings: options.settings ?? {},
    log,
    database: { query: none, connect: none },
    scratch,
    share: (_key, make) => make(),
    reject: (row: Row | undefined, why) => void counted.rejects.push({ row, ...why }),
    skip: count(counted.skipped),
    merge: count(counted.merged),
    add: count(counted.added),
    keep: count(counted.kept),
    leave: count(counted.left),
    report: silent,
    reportRows: silent,
    wrote: silent,
    progress: silent,
  };
  return { run, counted };
}

const sum = (counts: Record<string, number>) => Object.values(counts).reduce((a, b) => a + b, 0);

/**
 * Runs `stage` over `rows` at several chunk sizes and gives back what it did. Asserts on the way that the
 * result does not depend on the size, that no chunk is empty, that the accounting identity holds, and
 * that no scratch file is left, whether the stage ends well or throws.
 */
export async function runStage<In extends AnyRow = Row, Out extends AnyRow = Row>(
  stage: Stage<In, Out>,
  rows: readonly In[],
  options: StageOptions = {},
): Promise<Ran<Out>> {
  let first: Ran<Out> | undefined;
  for (const size of options.chunkSizes ?? [2048, 1, 2, 3, 7]) {
    const ran = await inScratch(async (scratch) => {
      const { run, counted } = recordingRun(scratch, options);
      const out: Out[] = [];
      for await (const chunk of stage(inChunks(rows, size), run) as Rows<Out>) {
        assert.ok(chunk.length > 0, `chunks of ${size}: an empty chunk came out`);
        for (const row of chunk as Chunk<Out>) out.push(row);
      }
      return { rows: out, ...counted };
    });
    assert.equal(
      rows.length + sum(ran.added),
      ran.rows.length + ran.rejects.length + sum(ran.skipped) + sum(ran.merged),
      `chunks of ${size}: rows in + added = rows out + rejected + skipped + merged`,
    );
    if (first === undefined) first = ran;
    else assert.deepEqual(ran, first, `chunks of ${size} give another result`);
  }
  return first as Ran<Out>;
}

/** Runs `work` with a scratch directory and asserts that it is empty afterwards, whatever happens. */
export async function inScratch<T>(work: (scratch: string) => Promise<T>): Promise<T> {
  const scratch = await mkdtemp(path.join(os.tmpdir(), 'sluice-stage-'));
  try {
    return await work(scratch);
  } finally {
    const left = await readdir(scratch);
    await rm(scratch, { recursive: true });
    assert.deepEqual(left, [], 'scratch files are left');
  }
}
