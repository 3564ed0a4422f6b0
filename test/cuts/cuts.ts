import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { SluiceError } from '../../src/core/errors/sluice-error.js';
import type { Pipeline } from '../../src/core/pipeline.js';
import type { Row } from '../../src/core/row.js';
import { PgDatabase } from '../../src/db/connect.js';
import { findBatch, listBatches } from '../../src/db/ledger/batches.js';
import { TIMING } from '../../src/db/network.js';
import { isConnectionLoss } from '../../src/db/server-error.js';
import { findPublished, validateBatch } from '../../src/run/maintain/revalidate.js';
import { rollbackBatch } from '../../src/run/rollback.js';
import { runPipeline } from '../../src/run/run.js';
import { findStaged, swapBatch } from '../../src/run/swap.js';
import { loads } from '../support/engine.js';
import { type FaultProxy, proxyTo } from '../support/proxy.js';
import { chances, oneOf, randomRule } from './chance.js';
import { differenceOf, isSame, type Live, readLive, SYSTEM, WORKS, type Work } from './live.js';

/** A hundredth of the usual times, so that a thousand rounds take an hour and not days. */
const SOON = {
  ...TIMING,
  connectMs: 2_000,
  quietMs: 300,
  againMs: 200,
  askMs: 1_500,
  unreachableMs: 500,
  returnMs: 1_000,
  goodbyeMs: 300,
};
/** With these times, on a loaded machine; what takes longer hangs. */
export const BOUND_MS = 60_000;

const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** What rounds have shown. */
export interface Tally {
  rounds: number;
  readonly commands: Record<string, number>;
  readonly faults: Record<string, number>;
  readonly ends: Record<string, number>;
  /** The fault came before the command was done. */
  struck: number;
  slowestMs: number;
  readonly wrong: string[];
}

/** Does rounds on the database of `url` (empty, the cuts' own) until `goOn` says no. */
export async function cuts(url: string, seed: number, goOn: (tally: Tally) => boolean): Promise<Tally> {
  const direct = new pg.Client({ connectionString: url });
  await direct.connect();
  await direct.query(SYSTEM);
  const proxy = await proxyTo(url);
  const tally: Tally = { rounds: 0, commands: {}, faults: {}, ends: {}, struck: 0, slowestMs: 0, wrong: [] };
  const cutter = new Cutter(url, direct, proxy, chances(seed), tally);
  try {
    while (goOn(tally)) {
      await cutter.round().catch((error: unknown) => {
        tally.wrong.push(`round ${tally.rounds}: ${error instanceof Error ? error.stack : String(error)}`);
      });
      tally.rounds += 1;
    }
  } finally {
    await proxy.close();
    await direct.end();
  }
  return tally;
}

/** A command as it is given, and what live is once it is done. */
interface Given {
  readonly name: string;
  readonly wanted: Live;
  /** Where the batch stands in the ledger once it is done; undefined where nothing is changed. */
  readonly status?: string;
  run(database: PgDatabase, signal: AbortSignal): Promise<unknown>;
}

class Cutter {
  #bytes = 60_000;
  #round = 0;

  constructor(
    readonly url: string,
    readonly direct: pg.Client,
    readonly proxy: FaultProxy,
    readonly random: () => number,
    readonly tally: Tally,
  ) {}

  readonly #ask = async <T extends object>(sql: string) => (await this.direct.query(sql)).rows as T[];

  async #on<T>(url: string, work: (database: PgDatabase) => Promise<T>): Promise<T> {
    const database = new PgDatabase({ url, described: 'it', from: 'test' }, SOON);
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  }

  async round(): Promise<void> {
    const { random, tally, proxy } = this;
    this.#round += 1;
    const given = await this.#given(await readLive(this.#ask));
    const before = await readLive(this.#ask);
    const rule = randomRule(random, this.#bytes);
    const what = `round ${this.#round}, ${given.name}, ${rule.fault.kind}${rule.all ? ' of all' : ''} at ${
      rule.holding?.text ?? `${rule.afterBytes} bytes`
    }${rule.passing ? ' (passing)' : ''} of ${rule.session}`;
    count(tally.commands, given.name);
    count(tally.faults, rule.fault.kind);
    let struck = false;
    let healing: NodeJS.Timeout | undefined;
    void proxy.on(rule).then(() => {
      struck = true;
      // In half of the cases it comes back while the command still tries.
      if (rule.fault.kind !== 'cut' && random() < 0.5)
        healing = setTimeout(() => proxy.heal(), 200 + random() * 2_500);
    });
    const stop = new AbortController();
    const from = performance.now();
    // Nobody waits half a minute a thousand times for a server that is away.
    const stopping = setTimeout(() => stop.abort(), 6_000);
    const ended = await Promise.race([
      this.#on(proxy.url, (database) => given.run(database, stop.signal)).then(
        () => ({ kind: 'done' as const }),
        (error: unknown) => ({ kind: 'failed' as const, error }),
      ),
      sleep(BOUND_MS, { kind: 'hangs' as const }, { ref: false }),
    ]);
    tally.slowestMs = Math.max(tally.slowestMs, performance.now() - from);
    clearTimeout(stopping);
    clearTimeout(healing);
    proxy.heal();
    if (struck) tally.struck += 1;
    await this.#settled(what);
    const said = this.#said(what, ended);
    if (said === undefined) return;
    count(tally.ends, said.end);
    const live = await readLive(this.#ask);
    const isNew = isSame(live, given.wanted);
    const isOld = isSame(live, before);
    if (!isNew && !isOld)
      this.#wrong(what, `live is neither old nor new: ${differenceOf(given.wanted, live)}; ${said.text}`);
    if (said.live === 'new' && !isNew) this.#wrong(what, `said to be done, and live is as it was`);
    if (said.live === 'old' && !isOld) this.#wrong(what, `live is new, and it said: ${said.text}`);
    await this.#agrees(what, given, isNew && !isOld);
    // Following the advice: what is not live is done again, and is there once.
    if (isOld && !isNew && random() < 0.5) await this.#again(what, given);
    await this.#forget();
  }

  #wrong(what: string, why: string): void {
    this.tally.wrong.push(`${what}: ${why}`);
  }

  /** What the command has told of live. */
  #said(
    what: string,
    ended: { kind: 'done' } | { kind: 'hangs' } | { kind: 'failed'; error: unknown },
  ): { live: 'new' | 'old' | 'unknown'; text: string; end: string } | undefined {
    if (ended.kind === 'hangs') {
      this.#wrong(what, `hangs for ${BOUND_MS} ms`);
      count(this.tally.ends, 'hangs');
      return undefined;
    }
    if (ended.kind === 'done') return { live: 'new', text: 'done', end: 'done' };
    const { error } = ended;
    if (!(error instanceof SluiceError)) {
      const { message } = error as Error;
      // As the command line has it.
      if (isConnectionLoss(error)) return { live: 'unknown', text: message, end: 'connection lost' };
      this.#wrong(what, `no error of ours: ${(error as Error).stack}`);
      return { live: 'unknown', text: message, end: 'unexpected' };
    }
    const state = error.facts.state ?? '';
    const text = `${error.code}: ${error.message}; ${state}`;
    if (error.code === 'unexpected') this.#wrong(what, text);
    if (error.code === 'outcome_unknown') return { live: 'unknown', text, end: error.code };
    const untouched = /nothing was (published|written|put back|changed|read)/i.test(state);
    if (!untouched) this.#wrong(what, `it does not say what state things are in: ${text}`);
    return { live: 'old', text, end: error.code };
  }

  /** Sessions of the command are gone; those that stay would keep the next one from working. */
  async #settled(what: string): Promise<void> {
    for (const until = Date.now() + 30_000; Date.now() < until; await sleep(50)) {
      const left = await this.#ask(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'sluice %'",
      );
      if (left.length === 0) return;
    }
    this.#wrong(what, 'its sessions are still there after 30 s');
  }

  /** The ledger says of the latest batch what live is. */
  async #agrees(what: string, given: Given, done: boolean): Promise<void> {
    if (given.status === undefined) return;
    const [batch] = await this.#on(this.url, (database) => listBatches(database, 1)).catch(() => []);
    const says = batch?.status === given.status;
    // A publish of what live holds already changes nothing, and is none.
    if (done && !says) this.#wrong(what, `live is new, and the ledger has ${batch?.status}`);
    if (!done && says && this.#latest !== batch?.id && !isSame(given.wanted, await readLive(this.#ask)))
      this.#wrong(what, `live is old, and the ledger has ${batch?.status}`);
  }

  #latest: string | undefined;

  async #again(what: string, given: Given): Promise<void> {
    await this.#on(this.url, (database) => given.run(database, new AbortController().signal)).catch(
      (error: unknown) => this.#wrong(what, `again without a fault: ${(error as Error).message}`),
    );
    const live = await readLive(this.#ask);
    if (!isSame(live, given.wanted)) this.#wrong(what, `done again: ${differenceOf(given.wanted, live)}`);
  }

  /** Old tables would pile up, and slow the rounds down; the ledger's last batch is remembered. */
  async #forget(): Promise<void> {
    const [latest] = await this.#on(this.url, (database) => listBatches(database, 1)).catch(() => []);
    this.#latest = latest?.id;
    if (this.#round % 20 !== 0) return;
    const schemas = await this.#ask<{ name: string }>(
      "SELECT quote_ident(nspname) AS name FROM pg_namespace WHERE nspname LIKE 'sluice%'",
    );
    for (const { name } of schemas) await this.direct.query(`DROP SCHEMA ${name} CASCADE`);
    this.#latest = undefined;
    await this.direct.query('TRUNCATE things, entries');
    await this.direct.query("INSERT INTO things SELECT i, 'old ' || i FROM generate_series(1, 50) i");
  }

  async #given(before: Live): Promise<Given> {
    const { random } = this;
    const kind = oneOf(random, ['run', 'run', 'run', 'swap', 'rollback', 'validate', 'status'] as const);
    if (kind === 'run') return this.#run(before);
    if (kind === 'swap') return this.#swap(before);
    // What there is to look at or to take back.
    const done = this.#run(before);
    await this.#on(this.url, (database) => done.run(database, new AbortController().signal));
    const [batch] = await this.#on(this.url, (database) => listBatches(database, 1));
    const id = batch?.id as string;
    this.#latest = id;
    if (kind === 'rollback' && !isSame(before, done.wanted))
      return {
        name: 'rollback',
        wanted: before,
        status: 'rolled_back',
        run: (database, signal) => rollbackBatch(id, { database, log, events: {}, signal }),
      };
    if (kind === 'validate')
      return {
        name: 'validate',
        wanted: done.wanted,
        run: async (database, signal) =>
          validateBatch(done.pipeline, await findPublished(database, id), { database, log, signal }),
      };
    return {
      name: 'status',
      wanted: done.wanted,
      run: async (database) => [await listBatches(database, 20), await findBatch(database, id)],
    };
  }

  #rows(work: Work, before: Live): Row[] {
    const { random } = this;
    const count = 20 + Math.floor(random() * 400);
    const mark = `r${this.#round}`;
    const ids =
      work.mode === 'patch'
        ? before.things.slice(0, count).map((row) => Number.parseInt(row, 10))
        : Array.from({ length: count }, (_, i) => 1 + i + Math.floor(random() * 2) * 1_000);
    return [...new Set(ids)].map((id) => ({
      id,
      name: `${mark} ${'x'.repeat(Math.floor(random() * 200))}${id}`,
    }));
  }

  #run(before: Live): Given & { readonly pipeline: Pipeline } {
    const work = oneOf(this.random, WORKS);
    const rows = this.#rows(work, before);
    const pipeline = loads({ input: [work.target, rows] });
    return {
      name: work.mode,
      wanted: work.after(before, rows),
      status: 'completed',
      pipeline,
      run: (database, signal) => runPipeline(pipeline, { database, log, signal, maxShrink: 100 }),
    };
  }

  async #swap(before: Live): Promise<Given> {
    const work = oneOf(this.random, WORKS);
    const rows = this.#rows(work, before);
    const pipeline = loads({ input: [work.target, rows] });
    await this.#on(this.url, (database) =>
      runPipeline(pipeline, { database, log, publish: false, maxShrink: 100 }),
    );
    const [batch] = await this.#on(this.url, (database) => listBatches(database, 1));
    const id = batch?.id as string;
    return {
      name: `swap ${work.mode}`,
      wanted: work.after(before, rows),
      status: 'completed',
      run: async (database, signal) =>
        swapBatch(pipeline, await findStaged(database, id), {
          database,
          log,
          signal,
          maxShrink: 100,
        }),
    };
  }
}

function count(of: Record<string, number>, name: string): void {
  of[name] = (of[name] ?? 0) + 1;
}
