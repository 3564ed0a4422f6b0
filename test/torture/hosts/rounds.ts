import { setTimeout as sleep } from 'node:timers/promises';
import { PgDatabase } from '../../../src/db/connect.js';
import { dropLeftover, findLeftovers } from '../../../src/run/maintain/cleanup.js';
import type { Ended, Running } from '../../support/cli.js';
import { until } from '../../support/until.js';
import type { Cluster } from './cluster.js';
import { type Fault, faultOf, strike, type Times } from './faults.js';
import { RUN } from './load.js';
import { AT_COMMIT } from './moments.js';

/** A run that takes longer hangs. */
const HANGS_MS = 240_000;
/** So often a run is taken up again at most. */
const MOST_RESUMED = 5;

/** What came of one fault. */
export interface Round {
  readonly fault: Fault;
  /** Undefined where it did not strike. */
  readonly what: string | undefined;
  readonly times: Times;
  /** Commands that took the run up again. */
  readonly resumed: number;
  /** What is not as it should be, a sentence each. */
  readonly wrong: readonly string[];
}

/** What an undisturbed run leaves. */
type Expected = Readonly<Record<'rows' | 'rejects' | 'parts', string>>;

/** Faults on a cluster of its own, and what is compared. */
export class Rounds {
  private constructor(
    private readonly cluster: Cluster,
    private readonly expected: Expected,
  ) {}

  /** Starts the workers, and loads undisturbed. */
  static async begin(cluster: Cluster): Promise<Rounds> {
    for (const name of cluster.names) await cluster.work(name);
    await cluster.before();
    await cluster.allAtWork();
    const { code, stderr } = await cluster.start(RUN).ended;
    if (code !== 4) throw new Error(`the undisturbed run: ${code}\n${stderr}`);
    const rounds = new Rounds(cluster, await contents(cluster));
    await rounds.#tidy();
    await cluster.query(AT_COMMIT);
    return rounds;
  }

  /** Strikes once, sees the run through, and compares. */
  async round(seed: number, number: number): Promise<Round> {
    const { cluster } = this;
    const fault = faultOf(seed, number);
    const wrong: string[] = [];
    let what: string | undefined;
    let times: Times = {};
    let resumed = 0;
    const off = fault.kind === 'clock off' ? await this.#setClock(fault.random) : undefined;
    await cluster.before();
    await cluster.allAtWork();
    const starter = cluster.start(RUN);
    try {
      const since = performance.now();
      ({ what, times } = await strike(cluster, fault, starter));
      resumed = await this.#through(starter, wrong);
      times.published = performance.now() - since;
    } catch (error) {
      wrong.push(String((error as Error).message));
      starter.child.kill('SIGKILL');
      await starter.ended;
    }
    try {
      if (off !== undefined) await cluster.stop(off);
      await cluster.allAtWork();
      wrong.push(...(await this.#compare()));
    } catch (error) {
      wrong.push(String((error as Error).message));
    }
    return { fault, what, times, resumed, wrong };
  }

  /** Has one of the workers started again with a clock that is an hour off. */
  async #setClock(random: () => number): Promise<string> {
    const { cluster } = this;
    const name = cluster.names[Math.floor(random() * cluster.names.length)] as string;
    await cluster.stop(name);
    await cluster.work(name, random() < 0.5 ? 3_600 : -3_600);
    return name;
  }

  /** Waits for the run, and takes it up again as it or `status` says, until it is done; how often it was. */
  async #through(starter: Running, wrong: string[]): Promise<number> {
    let running = starter;
    for (let resumed = 0; ; resumed++) {
      const { code, stderr, stdout } = await this.#ended(running, wrong);
      if (code === 4) return resumed;
      const next = (await this.#next()) ?? said(stdout);
      if (next === undefined || resumed === MOST_RESUMED) {
        wrong.push(`the run ended with ${code}, and no command goes on with it: ${stderr.slice(-1500)}`);
        return resumed;
      }
      running = this.cluster.start([...new Set([...next, '--yes', '--json'])]);
    }
  }

  async #ended(running: Running, wrong: string[]): Promise<Ended> {
    const hangs = setTimeout(() => {
      wrong.push('a run hung');
      running.child.kill('SIGKILL');
    }, HANGS_MS);
    const ended = await running.ended;
    clearTimeout(hangs);
    return ended;
  }

  /** The words of the command that `status` says goes on with the latest batch; undefined where it is over. */
  async #next(): Promise<readonly string[] | undefined> {
    const [batch] = await this.cluster.query<{ id: string }>(
      'SELECT max(id)::text AS id FROM sluice.migration_batch',
    );
    // A session of a process that was killed may not have ended yet.
    for (const end = Date.now() + 60_000; Date.now() < end; await sleep(200)) {
      const { stdout } = await this.cluster.start(['status', batch?.id as string, '--json']).ended;
      const { next = [], status } = JSON.parse(stdout) as { next?: readonly string[]; status: string };
      const found = runOf([next].flat());
      if (found !== undefined || status !== 'running') return found;
    }
    return undefined;
  }

  /** What is not as an undisturbed run leaves it. Takes away what may be left for a rollback. */
  async #compare(): Promise<string[]> {
    const { cluster, expected } = this;
    const wrong: string[] = [];
    const now = await contents(cluster);
    for (const what of ['rows', 'rejects', 'parts'] as const)
      if (now[what] !== expected[what]) wrong.push(`${what}: ${now[what]}, and not ${expected[what]}`);
    const left = await until('nothing left over', async () => {
      const found = await cluster.query<{ what: string }>(LEFT);
      return found.length === 0 ? [] : undefined;
    }).catch(async () => cluster.query<{ what: string }>(LEFT));
    wrong.push(...left.map(({ what }) => `left over: ${what}`));
    wrong.push(...(await this.#tidy()));
    return wrong;
  }

  /** Drops the tables that were replaced; what is left then, or could not be. */
  async #tidy(): Promise<string[]> {
    const { cluster } = this;
    const database = new PgDatabase({ url: cluster.url, described: 'the hosts', from: 'the torture' });
    try {
      for (const leftover of await findLeftovers(database, 0)) await dropLeftover(database, leftover);
      const left = await cluster.query<{ what: string }>(
        `SELECT 'schema ' || nspname AS what FROM pg_namespace WHERE nspname ~ '^sluice_' AND nspname <> 'sluice_queue'
         UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE tgname ~ '^sluice_guard'`,
      );
      return left.map(({ what }) => `left after a cleanup: ${what}`);
    } catch (error) {
      return [`the cleanup failed: ${(error as Error).message}`];
    } finally {
      await database.close();
    }
  }
}

/** What there should be nothing of between batches, while all workers wait. */
const LEFT = `
SELECT 'job ' || coalesce(key, id::text) AS what FROM sluice_queue.jobs
UNION ALL SELECT 'part at ' || start || ' in the queue' FROM sluice_queue.sluice_part
UNION ALL SELECT 'flow of batch ' || batch || ' in the queue' FROM sluice_queue.sluice_flow
UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname ~ '^sluice_' AND nspname !~ '^sluice_(queue|old_)'
UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE tgname ~ '^sluice_guard'
UNION ALL SELECT 'session ' || application_name || ', ' || state FROM pg_stat_activity
  WHERE application_name ~ 'batch [0-9]' OR backend_type = 'client backend' AND state ~ '^idle in'
UNION ALL SELECT 'advisory lock of ' || a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
  WHERE l.locktype = 'advisory' AND NOT EXISTS (SELECT FROM sluice_queue.sluice_host h WHERE h.lock::oid = l.objid)
UNION ALL SELECT 'prepared transaction ' || gid FROM pg_prepared_xacts`;

/** The table, what was rejected of it, and the parts of the batch that was published last. */
async function contents(cluster: Cluster): Promise<Expected> {
  const [row] = await cluster.query<Expected>(
    `WITH latest AS (SELECT max(id) AS id FROM sluice.migration_batch WHERE status = 'completed')
     SELECT (SELECT count(*) || ' rows, ' || count(DISTINCT id) || ' ids, checksum ' || sum(hashtextextended(t::text, 0)) FROM things t) AS rows,
       (SELECT string_agg(line || ' ' || reason, ', ' ORDER BY line) FROM sluice.migration_reject r, latest WHERE r.batch_id = latest.id) AS rejects,
       (SELECT string_agg(starts_at || '-' || ends_at || ' ' || rows, ', ' ORDER BY starts_at) FROM sluice.migration_part p, latest
        WHERE p.batch_id = latest.id) AS parts`,
  );
  return row as Expected;
}

/** The words of the command that a run which has failed says comes next. */
function said(stdout: string): readonly string[] | undefined {
  const { error } = JSON.parse(stdout || '{}') as { error?: { next?: readonly string[] } };
  return runOf(error?.next ?? []);
}

/** The words of the run that is among these lines: behind what is to be done first, before what is said beside it, in brackets. */
function runOf(lines: readonly string[]): readonly string[] | undefined {
  const line = lines.find((each) => each.includes('sluice run ') && !each.includes('--only-rejects-of'));
  return line === undefined
    ? undefined
    : words(line.replace(/^.*?sluice run /, 'run ').replace(/ {3}\(.*/, ''));
}

/** A command's line as a shell takes it apart. */
function words(line: string): string[] {
  return [...line.matchAll(/'((?:[^']|'\\'')*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}
