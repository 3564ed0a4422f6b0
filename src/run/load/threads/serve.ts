import type { StageCounter } from '../../../core/accounting.js';
import { errorFromData } from '../../../core/errors/as-data.js';
import { jsonText } from '../../../core/json/write.js';
import type { KnownPart, Part, PartReader } from '../../../core/parts.js';
import type { Pipeline } from '../../../core/pipeline.js';
import { changedRun, type Log, type Run } from '../../../core/run.js';
import type { Source } from '../../../core/types.js';
import { addressOf } from '../../../db/address.js';
import { PgDatabase } from '../../../db/connect.js';
import { stopStatements } from '../../end/stopping.js';
import { Apart, type ApartTask } from '../apart.js';
import { Line, type Port } from './line.js';
import type {
  AskedOfMain,
  AskedOfThread,
  Counted,
  GivenPart,
  ThreadData,
  ToldMain,
  ToldThread,
} from './protocol.js';

/** A pipeline and its inputs, made again. */
export interface MadeAgain {
  readonly pipeline: Pipeline;
  /** How it was found: `RunOptions.from`. */
  readonly from: string;
  readonly inputs: Readonly<Record<string, Source>>;
  /** Closes what was begun of the inputs. */
  release(): Promise<void>;
}

/** What is at hand to make a pipeline again. */
export interface Around {
  readonly database: PgDatabase;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * A thread's whole life: answers the main thread on `port`, loads the parts that it gives, and has rejects, reports and
 * log lines kept by it. `make` makes the pipeline again, of the recipe in `data`.
 */
export function serveThread(
  port: Port,
  data: ThreadData,
  make: (around: Around) => Promise<MadeAgain>,
): void {
  const stop = new AbortController();
  const line: ToMain = new Line(port, {
    told: ({ stop: reason }) => stop.abort(errorFromData(reason)),
    async asked(what) {
      if (what.do === 'end') await serving.end();
      else await serving.load(what.task);
      return {};
    },
  });
  const serving = new Serving(line, data, make, stop.signal);
}

type ToMain = Line<ToldMain, AskedOfMain, ToldThread, AskedOfThread>;

class Serving {
  readonly #database: PgDatabase;
  readonly #stopped: () => Promise<void>;
  #made: Promise<{ readonly again: MadeAgain; readonly apart: Apart }> | undefined;

  constructor(
    private readonly line: ToMain,
    private readonly data: ThreadData,
    private readonly make: (around: Around) => Promise<MadeAgain>,
    private readonly signal: AbortSignal,
  ) {
    const { url, from, bare } = data.database;
    this.#database = new PgDatabase(addressOf(url, from, bare ? {} : undefined));
    this.#database.borrowSnapshot(async () => String(await line.ask({ want: 'snapshot' })));
    this.#stopped = stopStatements(this.#database, signal);
  }

  async load(task: ApartTask): Promise<void> {
    this.#made ??= this.#makeAgain();
    const { apart } = await this.#made;
    const { job } = apart;
    const counters: { readonly lane: number; readonly counter: StageCounter }[] = [];
    const counted = (): Counted[] =>
      counters.map(({ lane, counter }) => ({ lane, role: counter.role, account: counter.account() }));
    const known = new Map<number, KnownPart>();
    const { line, signal } = this;
    async function* parts(reader: PartReader): AsyncGenerator<Part, void> {
      for (;;) {
        const given = (await line.ask({ want: 'part', counted: counted() })) as GivenPart | undefined;
        if (given === undefined) return;
        if (given.known !== undefined) known.set(given.place.start, given.known);
        yield await partOf(reader, given, line);
      }
    }
    try {
      await apart.load(task, parts, {
        signal,
        known: (start) => known.get(start),
        runFor: (counter, input, its, lane) => {
          counters.push({ lane, counter });
          return this.#telling(job.runAt({ counter, input, signal: its, flow: task.flow, lane }));
        },
      });
    } finally {
      // Of a load that failed, too, what was rejected is kept.
      await job.rejects.flush().catch(() => {});
      line.tell({ tell: 'counted', counted: counted() });
    }
  }

  /** Lets go of everything; never throws. */
  async end(): Promise<void> {
    const made = await this.#made?.catch(() => undefined);
    await made?.apart.job.clear().catch(() => {});
    await made?.again.release().catch(() => {});
    await this.#stopped();
    await this.#database.close();
  }

  async #makeAgain(): Promise<{ readonly again: MadeAgain; readonly apart: Apart }> {
    const { line, signal, data } = this;
    const log = logTo(line);
    const database = this.#database;
    const again = await this.make({ database, log, signal });
    const apart = await Apart.open(again.pipeline, data.job, {
      database,
      from: again.from,
      inputs: again.inputs,
      log,
      signal,
      records: 'none',
      scratchIn: data.scratch,
      rejectsTo: async (rejects) => {
        await line.ask({ want: 'stored', rejects });
      },
    });
    return { again, apart };
  }

  /** `run`, what it reports told to the main thread. */
  #telling(run: Run): Run {
    const { line } = this;
    return changedRun(run, {
      report: (report) => line.tell({ tell: 'report', report }),
      reportRows: (name, columns, rows) => line.tell({ tell: 'reportRows', name, columns, rows }),
      wrote: (path, what) => line.tell({ tell: 'wrote', path, what }),
      progress() {},
    });
  }
}

async function partOf(reader: PartReader, { place, text }: GivenPart, line: ToMain): Promise<Part> {
  if (text === undefined) return reader.part(place);
  const { memory, bytes } = text;
  const part = await reader.part(place, Buffer.from(memory, 0, bytes));
  let released = false;
  return {
    ...part,
    release() {
      if (released) return;
      released = true;
      part.release();
      line.tell({ tell: 'back', start: place.start, memory }, [memory]);
    },
  };
}

function logTo(line: ToMain): Log {
  const at =
    (level: keyof Log): Log[keyof Log] =>
    (message, facts) =>
      line.tell({ tell: 'log', level, message, facts: facts === undefined ? undefined : jsonText(facts) });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
