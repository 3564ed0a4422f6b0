import { type FlowAccount, type SinkAccount, StageCounter, sum } from './accounting.js';
import { blamed } from './blamed.js';
import { Channel } from './channel.js';
import { commandErrors } from './errors/catalogue/command-line.js';
import { isError } from './errors/is-error.js';
import { SluiceError } from './errors/sluice-error.js';
import { accountName, type Branch, branchOf, endName, type FlowPlan } from './flow.js';
import { readCounted } from './reading.js';
import type { Row, Rows } from './row.js';
import type { Run } from './run.js';
import type { Target } from './target.js';
import type { Sink, Stage, Staging } from './types.js';

/** What the engine needs from whoever runs a flow. */
export interface Following {
  readonly signal: AbortSignal;
  /**
   * The Run handed to one source, stage or sink: its counting verbs count in `counter`, and it is told to
   * stop by `signal`, which also knows of failures elsewhere in the flow.
   */
  runFor(counter: StageCounter, input: string, signal: AbortSignal): Run;
  /** Opens the end of a branch. */
  open(end: Target | Sink, run: Run, at: EndPlace): Promise<Staging>;
  /** Called after each chunk has been taken by a sink: flushes rejects, moves progress. */
  afterChunk(): Promise<void> | undefined;
  /** Stop after so many rows of the source (`--limit`). */
  readonly limit?: number;
}

/** An end of a flow, as it is opened. */
export interface EndPlace {
  /** The way to it, as in StageAccount. */
  readonly branch: string;
}

/** A sink of a followed flow, still open: its account and the way to finish it. */
interface OpenEnd {
  readonly name: string;
  readonly isTable: boolean;
  readonly staging: Staging;
  readonly count: StageCounter;
}

/**
 * Runs one flow to its end: reads the source, pulls the rows through the stages, writes them to every
 * end, closes the ends and returns the accounts. If anything fails, every end is discarded, the source and
 * stages are released, and the first error is thrown; errors that come of it are not. `opened`: the rows, where the
 * source has been opened already.
 */
export async function follow(
  plan: FlowPlan,
  following: Following,
  opened?: (run: Run) => Rows,
): Promise<FlowAccount> {
  const counters: StageCounter[] = [];
  const ends: OpenEnd[] = [];
  const stop = new AbortController();
  const signal = AbortSignal.any([following.signal, stop.signal]);
  const input = plan.source.name;

  const counter = (stage: string, branch = '', role: StageCounter['role'] = 'stage') => {
    const made = new StageCounter(stage, branch, role);
    counters.push(made);
    return made;
  };
  const runFor = (count: StageCounter) => following.runFor(count, input, signal);

  const drain = async (branch: Branch, rows: Rows, at: string): Promise<void> => {
    let current = rows;
    for (const stage of branch.stages)
      current = staged(stage, current, (name) => counter(name, at), runFor, input);
    if (branch.into !== undefined) await write(branch.into, current, at);
    else await fork(branch.fork ?? [], current, at);
  };

  const write = async (end: Target | Sink, rows: Rows, at: string): Promise<void> => {
    const count = counter(accountName.end(end), at, 'end');
    const staging = await following.open(end, runFor(count), { branch: at });
    ends.push({ name: endName(end), isTable: 'kind' in end, staging, count });
    for await (const chunk of rows) {
      if (signal.aborted) throw commandErrors.interrupted.stopped();
      count.in += chunk.length;
      await staging.write(chunk);
      const flushing = following.afterChunk();
      if (flushing !== undefined) await flushing;
    }
    count.readToEnd = true;
  };

  const fork = async (branches: readonly Branch[], rows: Rows, at: string): Promise<void> => {
    const ways = branches.map((branch, i) => (line: Rows) => drain(branch, line, branchOf(at, i)));
    await forked(rows, ways, stop);
  };

  try {
    const count = counter(accountName.source(plan.source), '', 'source');
    const run = runFor(count);
    const rows = readCounted(opened === undefined ? plan.source.read(run) : opened(run), {
      name: input,
      count,
      run,
      ...(following.limit === undefined ? {} : { limit: following.limit }),
    });
    await drain(plan.root, rows, '');
    const sinks: SinkAccount[] = [];
    for (const { name, isTable, staging, count: rows } of ends) {
      const counted = await staging.close();
      // A sink rejects rows of its own (a value that the column cannot hold); the rest it has taken.
      rows.out = rows.in - sum(rows.rejected);
      sinks.push({ sink: name, role: isTable ? 'table' : 'sink', handed: rows.out, counted });
    }
    return { source: input, stages: counters.map((each) => each.account()), sinks };
  } catch (error) {
    stop.abort();
    await Promise.allSettled(ends.map((end) => end.staging.discard()));
    throw firstCause(error, following.signal);
  }
}

/** What ended a flow that `error` ended: where it was told to stop, that. */
export function firstCause(error: unknown, signal: AbortSignal): unknown {
  if (!signal.aborted || (error instanceof SluiceError && error.kind !== 'interrupted')) return error;
  return signal.reason instanceof SluiceError ? signal.reason : commandErrors.interrupted.stopped();
}

/** `stage` over `rows`, with both ends counted and its errors named. */
export function staged(
  stage: Stage,
  rows: Rows,
  counter: (name: string) => StageCounter,
  runFor: (count: StageCounter) => Run,
  input: string,
): Rows {
  const name = accountName.stage(stage);
  const count = counter(name);
  const run = runFor(count);
  const counted = (async function* () {
    for await (const chunk of rows) {
      count.in += chunk.length;
      yield chunk;
    }
    count.readToEnd = true;
  })();
  return (async function* () {
    try {
      for await (const chunk of stage(counted, run)) {
        if (chunk.length === 0) continue;
        count.out += chunk.length;
        yield chunk;
      }
    } catch (error) {
      const said = blamed(error, `stage "${name}"`, { input });
      // A stage knows a row's line, and not whose line that is.
      throw isError(said, 'stage_failed') ? said.with({ input }) : said;
    }
  })();
}

/**
 * Hands every chunk of `rows` to each of `ways`, the slowest of which sets the pace, and resolves when all have ended. At
 * the first failure `stop` is aborted, all are waited for, and it is thrown.
 */
export async function forked(
  rows: Rows,
  ways: readonly ((rows: Rows) => Promise<void>)[],
  stop: AbortController,
): Promise<void> {
  const lines = ways.map(() => new Channel<readonly Row[]>());
  const pump = async () => {
    try {
      for await (const chunk of rows) await Promise.all(lines.map((line) => line.send(chunk)));
      for (const line of lines) line.end();
    } catch (error) {
      for (const line of lines) line.fail(error);
      throw error;
    }
  };
  // A branch that ends without reading (its sink did not open, say) must not leave the pump waiting.
  const all = lines.map((line, i) =>
    (ways[i] as (rows: Rows) => Promise<void>)(line).finally(() => line.abandon()),
  );
  await allOrFirstError([pump(), ...all], stop);
}

/** Waits for all; at the first failure tells the others to stop, waits for them, throws that first one. */
async function allOrFirstError(tasks: readonly Promise<void>[], stop: AbortController): Promise<void> {
  let first: { readonly error: unknown } | undefined;
  await Promise.all(
    tasks.map((task) =>
      task.catch((error: unknown) => {
        first ??= { error };
        stop.abort();
      }),
    ),
  );
  if (first !== undefined) throw (first as { readonly error: unknown }).error;
}
