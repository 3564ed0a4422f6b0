import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { generator } from '../../samples/lot-consolidation/system.js';
import { ident } from '../../src/db/quote.js';
import { type Ended, type Running, startSluice } from '../support/cli.js';
import type { Victim } from './server.js';
import { STOPPED_CONTENTS, stoppedSystem, writeStopped } from './stops-system.js';

export interface StopsOptions {
  readonly victim: Victim;
  /** How many commands are stopped. */
  readonly stops: number;
  readonly seed: number;
  /** Rows of the file that is loaded. */
  readonly rows: number;
  /** Where the pipeline and its file go. */
  readonly folder: string;
  readonly say?: (line: string) => void;
}

/** One command that was stopped. */
export interface Stop {
  readonly phase: string;
  readonly signal: 'SIGINT' | 'SIGTERM';
  /** From the signal to the end of the process. */
  readonly ms: number;
  readonly code: number | null;
}

export interface Stopped {
  readonly stops: readonly Stop[];
  /** Commands that were done before the moment came. */
  readonly early: number;
  /** Whatever else went wrong, a sentence each. */
  readonly wrong: readonly string[];
}

/** The state of a database from which a command begins. */
type Beginning = 'old' | 'broken off' | 'staged' | 'published';

/** A phase of a command, which begins when stderr says `from`. */
interface Phase {
  readonly name: string;
  readonly of: Beginning;
  readonly command: string;
  readonly from: string;
  /** Milliseconds over which the moments are spread, where the phase is held up; otherwise its own length. */
  readonly spread?: number;
  /** What another session holds meanwhile. */
  readonly held?: string;
}

const RUN = 'run ./stops.mjs --yes';
const READER = 'SELECT FROM orders LIMIT 1';

const PHASES: readonly Phase[] = [
  { name: 'check', of: 'old', command: RUN, from: '· checking inputs' },
  { name: 'guard', of: 'old', command: RUN, from: 'log in ' },
  {
    name: 'guard, held up by a writer',
    of: 'old',
    command: RUN,
    from: 'log in ',
    held: 'LOCK TABLE items IN ROW EXCLUSIVE MODE',
    spread: 2_000,
  },
  { name: 'load', of: 'old', command: RUN, from: '· loading staging' },
  { name: 'load, with a reader of live', of: 'old', command: RUN, from: '· loading staging', held: READER },
  { name: 'replay', of: 'broken off', command: `${RUN} --resume 1`, from: '· resuming the load' },
  { name: 'validate', of: 'old', command: RUN, from: '· asking the validations' },
  { name: 'prepare', of: 'old', command: RUN, from: '· building indexes' },
  { name: 'publish', of: 'old', command: RUN, from: '· publishing' },
  {
    name: 'publish, held up by a reader',
    of: 'old',
    command: RUN,
    from: '· publishing',
    held: READER,
    spread: 2_500,
  },
  {
    name: 'swap',
    of: 'staged',
    command: 'swap 1 --pipeline ./stops.mjs --yes',
    from: '· looking at the tables again',
  },
  { name: 'after the publish', of: 'old', command: RUN, from: 'refreshing the materialized view' },
  { name: 'rollback', of: 'published', command: 'rollback 1 --yes', from: '· bringing the kept tables' },
  {
    name: 'rollback, held up by a reader',
    of: 'published',
    command: 'rollback 1 --yes',
    from: '· putting it back',
    held: READER,
    spread: 2_500,
  },
];

/** A command that does not end so long after the signal hangs. */
const HANGS_MS = 60_000;

/**
 * Sends SIGINT or SIGTERM to commands at random moments of each phase (the same for the same seed, as far as time
 * allows), measures how long they take to end, and looks whether each ended with 130 and live as it was, or with 0 and
 * live as it was to be.
 */
export async function stops(options: StopsOptions): Promise<Stopped> {
  const { victim, folder, say = () => {} } = options;
  const random = generator(options.seed);
  writeStopped(folder, options.rows);
  const bench = await Bench.prepare(victim, folder, options.rows);
  const made: Stop[] = [];
  const wrong: string[] = [];
  let early = 0;
  try {
    for (let at = 0; made.length < options.stops; at++) {
      const phase = PHASES[at % PHASES.length] as Phase;
      const signal = random() < 0.5 ? 'SIGINT' : 'SIGTERM';
      const found = await bench.stop(phase, signal, random());
      for (const each of found.wrong) {
        wrong.push(`${phase.name}: ${each}`);
        say(`wrong: ${phase.name}: ${each}`);
      }
      if (found.stop === undefined) early += 1;
      else {
        made.push(found.stop);
        say(
          `${made.length}. ${phase.name}: ${signal}, ended with ${found.stop.code} after ${Math.round(found.stop.ms)} ms`,
        );
      }
    }
  } finally {
    await bench.clear();
  }
  return { stops: made, early, wrong };
}

/** The databases that commands begin with, and how long their phases take when nobody disturbs them. */
class Bench {
  readonly #templates = new Map<Beginning, string>();
  readonly #lengths = new Map<string, number>();
  #old = '';
  #fresh = '';
  #count = 0;

  private constructor(
    private readonly victim: Victim,
    private readonly folder: string,
  ) {}

  static async prepare(victim: Victim, folder: string, rows: number): Promise<Bench> {
    const bench = new Bench(victim, folder);
    const name = (of: Beginning) => `stops_${of.replace(' ', '_')}_${process.pid}`;
    const make = async (of: Beginning, from?: Beginning) => {
      bench.#templates.set(of, name(of));
      await bench.#admin(
        `CREATE DATABASE ${ident(name(of))} TEMPLATE ${from === undefined ? 'template0' : ident(name(from))}`,
      );
      return name(of);
    };
    const old = await make('old');
    await bench.#within(old, (client) => client.query(stoppedSystem(rows)));
    bench.#old = await bench.#contents(old);
    await bench.#brokenOff(await make('broken off', 'old'));
    await bench.#calm('load ./stops.mjs --yes', await make('staged', 'old'));
    await bench.#calm(RUN, await make('published', 'old'));
    bench.#fresh = await bench.#contents(name('published'));
    for (const [command, of] of [
      [`${RUN} --resume 1`, 'broken off'],
      ['swap 1 --pipeline ./stops.mjs --yes', 'staged'],
      ['rollback 1 --yes', 'published'],
    ] as const) {
      const database = await bench.#copy(of);
      await bench.#calm(command, database);
      await bench.#drop(database);
    }
    return bench;
  }

  /** Stops one command at the moment `at` (0 to 1) of the phase. */
  async stop(
    phase: Phase,
    signal: 'SIGINT' | 'SIGTERM',
    at: number,
  ): Promise<{ readonly stop?: Stop; readonly wrong: readonly string[] }> {
    const database = await this.#copy(phase.of);
    const holder = phase.held === undefined ? undefined : await this.#connect(database);
    await holder?.query(`BEGIN; ${phase.held}`);
    const length = phase.spread ?? this.#lengths.get(`${phase.command} ${phase.from}`) ?? 0;
    const running = this.#start(phase.command, database);
    await running.said(phase.from).catch(() => {});
    await Promise.race([sleep(at * length), running.ended]);
    const since = performance.now();
    running.child.kill(signal);
    const hung = setTimeout(() => running.child.kill('SIGKILL'), HANGS_MS);
    const ended = await running.ended;
    clearTimeout(hung);
    const ms = performance.now() - since;
    await holder?.end();
    const wrong = await this.#judge(phase, database, ended);
    if (wrong.length === 0) await this.#drop(database);
    if (!ended.stderr.includes('stopping; once more')) return { wrong };
    return { stop: { phase: phase.name, signal, ms, code: ended.code }, wrong };
  }

  async clear(): Promise<void> {
    for (const template of this.#templates.values()) await this.#drop(template);
  }

  /** What is wrong with what the command left. */
  async #judge(phase: Phase, database: string, { code, stderr }: Ended): Promise<string[]> {
    const wrong: string[] = [];
    const [before, after] = phase.of === 'published' ? [this.#fresh, this.#old] : [this.#old, this.#fresh];
    const told = `it said\n${stderr}`;
    const live = await this.#contents(database);
    if (code === 130) {
      if (live !== before)
        wrong.push(`ended with 130, and live is ${live === after ? 'new' : 'neither old nor new'}; ${told}`);
      if (!/stopped by SIG(INT|TERM)/.test(stderr)) wrong.push(`does not say what stopped it; ${told}`);
      if (!/state: .*nothing was (published|written|changed|put back)/.test(stderr))
        wrong.push(`does not say the state; ${told}`);
    } else if (code === 0) {
      if (live !== after)
        wrong.push(`ended with 0, and live is ${live === before ? 'old' : 'neither old nor new'}; ${told}`);
    } else wrong.push(`${code === null ? 'hung' : `ended with ${code}`}; ${told}`);
    let left = await this.#leftovers(database);
    // What others' locks have kept from being tidied up is for the next command, and the command has said so.
    if (
      left.length > 0 &&
      phase.held !== undefined &&
      /could not be (tidied up|recorded)|the next command/.test(stderr)
    ) {
      const cleaned = await this.#start('cleanup --execute', database).ended;
      if (cleaned.code !== 0) wrong.push(`the cleanup ended with ${cleaned.code}: ${cleaned.stderr}`);
      left = await this.#leftovers(database);
    }
    if (left.length > 0) wrong.push(`left ${left.join(', ')}; ${told}`);
    return wrong;
  }

  /** What no command may leave, once its sessions have ended; the staging of a batch that is staged may stay. */
  #leftovers(database: string): Promise<string[]> {
    return this.#within(database, async (client) => {
      const sessions = () =>
        client.query(
          "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '^sluice'",
        );
      for (let i = 0; i < 50 && (await sessions()).rowCount !== 0; i++) await sleep(100);
      const { rows: found } = await client.query<{ what: string }>(
        `SELECT 'session ' || application_name AS what FROM pg_stat_activity
           WHERE datname = current_database() AND application_name ~ '^sluice'
         UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname ~ '^sluice_(staging|guard)_'
         UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE tgname ~ '^sluice_guard'
         UNION ALL SELECT 'key ' || conname FROM pg_constraint WHERE conname ~ '__swap$'`,
      );
      const left = found.map(({ what }) => what);
      const { rows: ledger } = await client.query("SELECT FROM pg_namespace WHERE nspname = 'sluice'");
      if (ledger.length === 0) return left;
      const { rows: batches } = await client.query<{ id: string; status: string; phase: string | null }>(
        'SELECT id, status, phase FROM sluice.migration_batch',
      );
      const unended = batches.filter(({ status, phase }) => /pending|running/.test(status) || phase !== null);
      const staged = batches.some(({ status }) => status === 'staged');
      return [
        ...left.filter((what) => !(staged && /^(schema|trigger)/.test(what))),
        ...unended.map(({ id, status, phase }) => `batch ${id} ${status} ${phase}`),
      ];
    });
  }

  /** Runs a command undisturbed and notes how long its phases take. */
  async #calm(command: string, database: string): Promise<void> {
    const running = this.#start(command, database);
    const at = new Map<string, number>();
    for (const from of new Set(PHASES.map((phase) => phase.from)))
      void running.said(from).then(
        () => at.set(from, performance.now()),
        () => {},
      );
    const { code, stderr } = await running.ended;
    if (code !== 0) throw new Error(`the undisturbed ${command} ended with ${code}: ${stderr}`);
    const over = performance.now();
    for (const phase of PHASES.filter((each) => each.command === command)) {
      const from = at.get(phase.from) ?? over;
      const next = [...at.values()].filter((time) => time > from);
      // What has one phase only is one.
      const to = phase.of === 'staged' || phase.of === 'published' ? over : Math.min(over, ...next);
      this.#lengths.set(`${phase.command} ${phase.from}`, to - from);
    }
  }

  /** Kills a load after its first committed segment or part, at which the ledger makes the second one wait. */
  async #brokenOff(database: string): Promise<void> {
    const made = await this.#start('init', database).ended;
    if (made.code !== 0) throw new Error(`init: ${made.stderr}`);
    await this.#within(database, async (client) => {
      await client.query(`SELECT pg_advisory_lock(77);
        CREATE FUNCTION held_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF EXISTS (SELECT FROM sluice.migration_segment UNION ALL SELECT FROM sluice.migration_part) THEN PERFORM pg_advisory_xact_lock_shared(77); END IF;
          RETURN NEW; END $$;
        CREATE TRIGGER held_up BEFORE INSERT ON sluice.migration_segment FOR EACH ROW EXECUTE FUNCTION held_up();
        CREATE TRIGGER held_up BEFORE INSERT ON sluice.migration_part FOR EACH ROW EXECUTE FUNCTION held_up()`);
      const running = this.#start(RUN, database);
      for (let waits = 0; waits === 0 && running.child.exitCode === null; await sleep(20)) {
        const { rows } = await client.query(
          "SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 77 AND NOT granted",
        );
        waits = rows.length;
      }
      running.child.kill('SIGKILL');
      await running.ended;
      const sessions = `FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '^sluice'`;
      await client.query(`SELECT pg_terminate_backend(pid) ${sessions}`);
      while (((await client.query(`SELECT ${sessions}`)).rowCount ?? 0) > 0) await sleep(20);
      await client.query('DROP FUNCTION held_up() CASCADE');
    });
  }

  #start(command: string, database: string): Running {
    const options = { cwd: this.folder, env: { DATABASE_URL: this.victim.url(database) }, input: '' };
    return startSluice(command.split(' '), options);
  }

  #contents = (database: string) =>
    this.#within(
      database,
      async (client) =>
        (await client.query<{ all: string }>(`SELECT ${STOPPED_CONTENTS} AS all`)).rows[0]?.all ?? '',
    );

  async #copy(of: Beginning): Promise<string> {
    const database = `stop_${process.pid}_${++this.#count}`;
    await this.#admin(
      `CREATE DATABASE ${ident(database)} TEMPLATE ${ident(this.#templates.get(of) as string)}`,
    );
    return database;
  }

  #drop = (database: string) => this.#admin(`DROP DATABASE IF EXISTS ${ident(database)} WITH (FORCE)`);

  #admin = (sql: string) => this.#within('postgres', (client) => client.query(sql));

  async #connect(database: string): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.victim.url(database) });
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  async #within<T>(database: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = await this.#connect(database);
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }
}

/** The times of each phase and of all, as lines of a table. */
export function stopTable(stops: readonly Stop[]): string[] {
  const line = (name: string, of: readonly Stop[]) => {
    const times = of.map(({ ms }) => ms).sort((a, b) => a - b);
    const at = (share: number) => Math.round(times[Math.max(0, Math.ceil(share * times.length) - 1)] ?? 0);
    const long = times.filter((ms) => ms > 2_000).length;
    return [name.padEnd(32), times.length, at(0.5), at(0.95), at(1), long]
      .map((cell) => String(cell).padStart(8))
      .join('');
  };
  const names = [...new Set(stops.map(({ phase }) => phase))];
  return [
    ['phase'.padEnd(32), 'stops', 'median', '95 %', 'max', '> 2 s'].map((cell) => cell.padStart(8)).join(''),
    ...names.map((name) =>
      line(
        name,
        stops.filter(({ phase }) => phase === name),
      ),
    ),
    line('all', stops),
  ];
}
