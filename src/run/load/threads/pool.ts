import type { MakingAgain } from '../../given/options.js';
import type { Job } from '../../job/job.js';
import { codeOf } from '../code-hash.js';
import type { ThreadData } from './protocol.js';
import { LoadThread } from './thread.js';

/** The threads of a run: each is begun when it is first needed, and serves one flow after the other. */
export class ThreadPool {
  readonly #free: LoadThread[] = [];
  readonly #all: LoadThread[] = [];

  constructor(
    private readonly job: Job,
    private readonly again: MakingAgain,
  ) {}

  /** `work` with a thread of its own. One that has failed is not used again. */
  async with<T>(work: (thread: LoadThread) => Promise<T>): Promise<T> {
    const thread = this.#free.pop() ?? this.#begin();
    const done = await work(thread);
    this.#free.push(thread);
    return done;
  }

  /** Ends them all. Never throws. */
  async close(): Promise<void> {
    await Promise.all(this.#all.map((thread) => thread.end()));
  }

  #begin(): LoadThread {
    const thread = new LoadThread(this.again.thread, this.#data(), this.job);
    this.#all.push(thread);
    return thread;
  }

  #data(): ThreadData {
    const { job } = this;
    const { database, noSourceData, stopOnError } = job.options;
    const { url, from, bare } = database.address;
    const filled = Object.entries(job.pipeline.tables).flatMap(([name, { columns }]) =>
      columns === undefined ? [] : [[name, columns] as const],
    );
    return {
      recipe: this.again.recipe,
      job: {
        batch: job.batch as string,
        begunAt: job.begunAt,
        code: job.state.manifest?.code ?? codeOf(job),
        settings: job.settings,
        ...(job.pipeline.fills === undefined ? {} : { fills: Object.fromEntries(filled) }),
        noSourceData: noSourceData ?? false,
        stopOnError: stopOnError ?? false,
      },
      database: { url, from, bare: bare ?? false },
      scratch: job.scratch,
    };
  }
}
