import pg from 'pg';

/** One session that repeats a statement without a pause. */
export interface Worker {
  readonly name: string;
  /** The n-th statement. */
  readonly sql: (n: number) => string;
  /** For reads, which give `least` and `most` generation and the number `n` of rows: so many there must be. */
  readonly rows?: number;
}

/** What a worker has done. */
interface Worked {
  readonly name: string;
  readonly done: number;
  readonly worstMs: number;
  /** Reads that saw two generations, or another number of rows than there always are. */
  readonly mixed: number;
  /** `SQLSTATE message`, one an error. */
  readonly errors: readonly string[];
}

export interface Load {
  stop(): Promise<Worked[]>;
}

/** Starts a session a worker; they go on until stopped. */
export async function startLoad(url: string, workers: readonly Worker[]): Promise<Load> {
  let stopped = false;
  const going = await Promise.all(
    workers.map(async (worker) => {
      const client = new pg.Client({ connectionString: url, application_name: worker.name });
      await client.connect();
      return work(worker, client, () => stopped);
    }),
  );
  return {
    async stop() {
      stopped = true;
      return Promise.all(going.map(({ finished }) => finished));
    },
  };
}

/** The promise in an object: awaiting the start must not await the end. */
function work(worker: Worker, client: pg.Client, stopped: () => boolean): { finished: Promise<Worked> } {
  const loop = async (): Promise<Worked> => {
    let done = 0;
    let worstMs = 0;
    let mixed = 0;
    const errors: string[] = [];
    while (!stopped()) {
      const from = performance.now();
      try {
        const { rows } = await client.query<{ least: number; most: number; n: number }>(worker.sql(done));
        const [seen] = rows;
        if (worker.rows !== undefined && (seen?.least !== seen?.most || seen?.n !== worker.rows)) mixed += 1;
      } catch (error) {
        const { code, message } = error as { code?: string; message: string };
        errors.push(`${code ?? ''} ${message}`);
      }
      worstMs = Math.max(worstMs, performance.now() - from);
      done += 1;
    }
    await client.end();
    return { name: worker.name, done, worstMs, mixed, errors };
  };
  return { finished: loop() };
}
