import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { StageCounter } from '../../../core/accounting.js';
import { errorAsData } from '../../../core/errors/as-data.js';
import { loadErrors } from '../../../core/errors/catalogue/load.js';
import type { Log } from '../../../core/run.js';
import type { Job } from '../../job/job.js';
import type { ApartTask } from '../apart.js';
import { type Answer, Line } from './line.js';
import type {
  AskedOfMain,
  AskedOfThread,
  Counted,
  GivenPart,
  ThreadData,
  ToldMain,
  ToldThread,
} from './protocol.js';

/** How long a thread that is asked to stop may take: its code may not come to hear of it. */
const GRACE_MS = 1_500;

/** Who gives a thread its parts. */
export interface GivesParts {
  next(): Promise<GivenPart | undefined>;
  /** Memory of the part that begins there has come back. */
  back(start: number, memory: ArrayBuffer): void;
}

/** A thread that loads parts of a run's flows, as the main thread sees it. */
export class LoadThread {
  readonly #worker: Worker;
  readonly #line: Line<ToldThread, AskedOfThread, ToldMain, AskedOfMain>;
  /** Rejects when the thread ends by itself. */
  readonly #died: Promise<never>;
  #ended = false;
  #flow = -1;
  #gives: GivesParts | undefined;
  #input = '';
  /** What the thread has counted, as the run's progress knows it. */
  #counters: StageCounter[] = [];

  constructor(
    file: string,
    data: ThreadData,
    private readonly job: Job,
  ) {
    this.#worker = new Worker(file, { workerData: data, name: 'sluice load' });
    this.#died = this.#deathOf(this.#worker);
    this.#died.catch(() => {});
    this.#line = new Line(this.#worker, {
      told: (what) => this.#told(what),
      asked: (what) => this.#asked(what),
    });
  }

  /**
   * Has the thread load what `gives` has of a flow whose input messages call `input`. Throws the thread's first error, and
   * failed `thread_died` where it ends by itself. Where `signal` is aborted it is over within two seconds.
   */
  async load(task: ApartTask, input: string, gives: GivesParts, signal: AbortSignal): Promise<void> {
    this.#flow = task.flow;
    this.#input = input;
    this.#gives = gives;
    this.#counters = [];
    const over = new AbortController();
    const stop = () => this.#line.tell({ stop: errorAsData(signal.reason) });
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    const tooLate = new Promise<never>((_, reject) => {
      const late = () =>
        void sleep(GRACE_MS, undefined, { signal: over.signal }).then(
          () => this.#cutOff().then(() => reject(signal.reason)),
          () => {},
        );
      if (signal.aborted) late();
      else signal.addEventListener('abort', late, { once: true, signal: over.signal });
    });
    tooLate.catch(() => {});
    try {
      await Promise.race([this.#line.ask({ do: 'load', task }), this.#died, tooLate]);
    } finally {
      over.abort();
      signal.removeEventListener('abort', stop);
      this.#gives = undefined;
    }
  }

  /** Ends the thread: what it has it lets go of, if it does so within a moment. Never throws. */
  async end(): Promise<void> {
    if (this.#ended) return;
    const over = new AbortController();
    await Promise.race([
      this.#line.ask({ do: 'end' }),
      this.#died,
      sleep(GRACE_MS, undefined, { signal: over.signal }),
    ]).catch(() => {});
    over.abort();
    await this.#cutOff();
  }

  /** Ends the thread whatever it is doing; the server ends its sessions. */
  async #cutOff(): Promise<void> {
    this.#ended = true;
    await this.#worker.terminate();
  }

  /** Rejects once the thread has ended though nobody asked it to. */
  async #deathOf(worker: Worker): Promise<never> {
    const left = once(worker, 'exit') as Promise<[number]>;
    left.catch(() => {});
    const why = await left.then(
      ([code]) => ({ says: `it ended with the code ${code}`, cause: undefined }),
      (error: unknown) => ({ says: error instanceof Error ? error.message : String(error), cause: error }),
    );
    const ended = this.#ended;
    this.#ended = true;
    throw ended
      ? new Error('the thread was ended')
      : loadErrors.thread_died({ input: this.#input, why: why.says }, { cause: why.cause });
  }

  async #asked(what: AskedOfMain): Promise<Answer> {
    const { job } = this;
    switch (what.want) {
      case 'part': {
        this.#count(what.counted);
        const part = await this.#gives?.next();
        return { answer: part, moved: part?.text === undefined ? [] : [part.text.memory] };
      }
      case 'stored':
        job.rejects.receive(what.rejects);
        await job.rejects.flush();
        return {};
      case 'snapshot':
        return { answer: await job.options.database.snapshot() };
    }
  }

  #told(what: ToldMain): void {
    const run = this.job.checkRun();
    if (what.tell === 'back') this.#gives?.back(what.start, what.memory);
    else if (what.tell === 'counted') this.#count(what.counted);
    else if (what.tell === 'log') this.#log(what);
    else if (what.tell === 'report') run.report(what.report);
    else if (what.tell === 'reportRows') run.reportRows(what.name, what.columns, what.rows);
    else run.wrote(what.path, what.what);
  }

  #log({ level, message, facts }: Extract<ToldMain, { tell: 'log' }>): void {
    const log: Log = this.job.options.log;
    log[level](message, facts === undefined ? undefined : (JSON.parse(facts) as Record<string, unknown>));
  }

  /** Brings the run's progress to what the thread has counted. */
  #count(counted: readonly Counted[]): void {
    for (const [at, { lane, role, account }] of counted.entries()) {
      const known = this.#counters[at];
      if (known !== undefined) known.stand(account);
      else {
        const counter = StageCounter.of(account, role);
        this.#counters[at] = counter;
        this.job.progress.counts(`${this.#flow}/${this.#worker.threadId}.${lane}`, counter);
      }
    }
  }
}
