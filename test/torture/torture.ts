import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { generator } from '../../samples/lot-consolidation/system.js';
import { PgDatabase } from '../../src/db/connect.js';
import { findBatch, listBatches } from '../../src/db/ledger/batches.js';
import { ident, literal } from '../../src/db/quote.js';
import { dropLeftover, findLeftovers } from '../../src/run/maintain/cleanup.js';
import { resolveInterrupted } from '../../src/run/maintain/recover.js';
import { into } from '../support/said.js';
import { type Attempt, start } from './attempt.js';
import { startReader } from './readers.js';
import { type ScenarioName, scenarios } from './scenarios.js';
import type { Victim } from './server.js';

export interface TortureOptions {
  readonly victim: Victim;
  readonly kills: number;
  readonly seed: number;
  /** Rows of each scenario. */
  readonly rows: number;
  readonly scenarios?: readonly ScenarioName[];
  readonly say?: (line: string) => void;
}

/** What came of it; `lost` and `doubled` are rows, `torn` what a reader saw that was neither old nor new. */
export interface Tortured {
  readonly kills: Record<string, number>;
  readonly rounds: number;
  readonly resumed: number;
  readonly swapped: number;
  readonly rerun: number;
  lost: number;
  doubled: number;
  looks: number;
  readonly torn: string[];
  /** Whatever else went wrong, a sentence each. */
  readonly wrong: string[];
}

/** A scenario in a database that others are copied from, with what an undisturbed run makes of it beside it. */
interface Prepared {
  readonly name: ScenarioName;
  readonly template: string;
  readonly phases: ReadonlyMap<string, number>;
  readonly allowed: readonly string[];
  /** What an undisturbed run rejects, input by input. */
  readonly rejects: string;
}

const PHASES = [
  'check',
  'load',
  'load',
  'load',
  'validate',
  'prepare',
  'prepare',
  'publish',
  'publish',
  'publish',
];
/** Attempts at one round after which something is wrong. */
const MOST_ATTEMPTS = 60;
/** A client that takes longer hangs. */
const HANGS_MS = 120_000;

/**
 * Loads and publishes again and again, kills client, backend or server at random moments (the same for the
 * same seed, as far as time allows), goes on as the ledger says, and compares what is live in the end with an
 * undisturbed run.
 */
export async function torture(options: TortureOptions): Promise<Tortured> {
  const { victim, say = () => {} } = options;
  const random = generator(options.seed);
  const names = options.scenarios ?? ['lots', 'copy', 'files'];
  const result: Tortured = {
    kills: {},
    rounds: 0,
    resumed: 0,
    swapped: 0,
    rerun: 0,
    lost: 0,
    doubled: 0,
    looks: 0,
    torn: [],
    wrong: [],
  };
  const prepared: Prepared[] = [];
  let told = 0;
  try {
    for (const name of names) prepared.push(await prepare(name, victim, options.rows));
    while (killsOf(result) < options.kills) {
      const one = prepared[(result as { rounds: number }).rounds++ % prepared.length] as Prepared;
      await round(one, victim, random, result, options.kills);
      const counts = Object.entries(result.kills).map(([how, n]) => `${how} ${n}`);
      for (const line of result.wrong.slice(told)) say(line);
      told = result.wrong.length;
      say(
        `round ${result.rounds} (${one.name}): ${killsOf(result)} kills (${counts.join(', ')}), lost ${result.lost}, doubled ${result.doubled}, torn ${result.torn.length}, wrong ${result.wrong.length}`,
      );
    }
  } finally {
    for (const { template } of prepared) await dropDatabase(victim, template);
  }
  return result;
}

export const killsOf = (result: Pick<Tortured, 'kills'>) =>
  Object.values(result.kills).reduce((sum, n) => sum + n, 0);

/** Makes the old state, publishes it undisturbed in a copy, and keeps the outcome in the schema `expected`. */
async function prepare(name: ScenarioName, victim: Victim, rows: number): Promise<Prepared> {
  const template = `torture_${name}_${process.pid}`;
  const calm = `${template}_calm`;
  const { tables, glance, prepare: fill } = scenarios[name];
  await admin(victim, (client) => client.query(`CREATE DATABASE ${ident(template)}`));
  const old = await within(victim, template, async (client) => {
    await fill(client, rows);
    await client.query('CREATE SCHEMA expected');
    return JSON.stringify((await client.query(glance)).rows);
  });
  await admin(victim, (client) => client.query(`CREATE DATABASE ${ident(calm)} TEMPLATE ${ident(template)}`));
  const { said, phases } = await start(name, victim.url(calm), 'run').ended;
  if (said !== 'done') throw new Error(`the undisturbed run of ${name}: ${said}`);
  const fresh = await within(victim, calm, async (client) =>
    JSON.stringify((await client.query(glance)).rows),
  );
  for (const table of tables) {
    const rows = await within(victim, calm, async (client) =>
      (await client.query(`SELECT t::text AS row FROM ${ident(table)} t`)).rows.map(({ row }) => row),
    );
    await within(victim, template, async (client) => {
      await client.query(`CREATE TABLE expected.${ident(table)} (row text)`);
      await client.query(`INSERT INTO expected.${ident(table)} SELECT unnest($1::text[])`, [rows]);
    });
  }
  const rejects = await within(victim, calm, rejectsOf);
  await dropDatabase(victim, calm);
  return { name, template, phases, allowed: [old, fresh], rejects };
}

async function round(
  one: Prepared,
  victim: Victim,
  random: () => number,
  result: Tortured,
  most: number,
): Promise<void> {
  const { name, template } = one;
  const counts = result as { rounds: number; resumed: number; swapped: number; rerun: number };
  const database = `${template}_${counts.rounds}`;
  await admin(victim, (client) =>
    client.query(`CREATE DATABASE ${ident(database)} TEMPLATE ${ident(template)}`),
  );
  const reader = startReader(() => victim.url(database), scenarios[name].glance, one.allowed);
  const wrong = (what: string) => result.wrong.push(`round ${counts.rounds} (${name}, ${database}): ${what}`);
  const found = result.wrong.length + result.torn.length;
  let verb = 'run';
  let batch = '';
  for (let tries = 1; ; tries++) {
    if (tries > MOST_ATTEMPTS) {
      wrong(`not done after ${MOST_ATTEMPTS} attempts, the last a ${verb}`);
      break;
    }
    const attempt = start(name, victim.url(database), verb, batch);
    const hung = setTimeout(() => {
      wrong(`a ${verb} hung`);
      attempt.child.kill('SIGKILL');
    }, HANGS_MS);
    // Rounds end: an attempt is left in peace now and then.
    const how =
      killsOf(result) < most && random() < (tries === 1 ? 1 : 0.5) && tries < MOST_ATTEMPTS / 2
        ? await killAt(one, attempt, victim, database, random)
        : undefined;
    if (how !== undefined) result.kills[how] = (result.kills[how] ?? 0) + 1;
    const { said } = await attempt.ended;
    clearTimeout(hung);
    const next = await nextStep(victim, database);
    if (next.verb === 'done') {
      if (how === undefined && said !== 'done') wrong(`published, but the client said ${said}`);
      break;
    }
    if (said === 'done') {
      wrong(`the client said done, and the batch is to be ${next.verb}`);
      break;
    }
    // Unless somebody was killed, the only failures are those of what was left behind by a kill.
    if (how === undefined && !/"(batch_busy|tables_busy|connection_lost|no_connection)"/.test(said))
      wrong(`an undisturbed ${verb} ended with ${said}`);
    if (next.verb === 'resume') counts.resumed += 1;
    else if (next.verb === 'swap') counts.swapped += 1;
    else counts.rerun += 1;
    ({ verb, batch } = next);
  }
  await reader.stop();
  result.looks += reader.looks();
  for (const torn of reader.torn()) result.torn.push(`round ${counts.rounds} (${name}): ${torn}`);
  await compare(one, victim, database, result, wrong);
  if (result.wrong.length + result.torn.length === found) await dropDatabase(victim, database);
}

/** Kills somebody at a random moment of the attempt; how, or undefined where the client was done before. */
async function killAt(
  { phases }: Prepared,
  attempt: Attempt,
  victim: Victim,
  database: string,
  random: () => number,
): Promise<string | undefined> {
  const phase = PHASES[Math.floor(random() * PHASES.length)] as string;
  const delay = random() * (phases.get(phase) ?? 100);
  const dice = random();
  const which = random();
  await attempt.begun(phase);
  await sleep(delay);
  if (attempt.child.exitCode !== null || attempt.child.signalCode !== null) return undefined;
  if (victim.crash !== undefined && dice < 0.2) {
    const signal = dice < 0.1 ? 'SIGKILL' : 'SIGQUIT';
    await victim.crash(signal);
    return signal === 'SIGKILL' ? 'server killed' : 'server stopped at once';
  }
  if (dice < 0.6) {
    attempt.child.kill('SIGKILL');
    return 'client';
  }
  const killed = await admin(victim, async (client) => {
    const { rows } = await client.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE datname = ${literal(database)} AND application_name ~ '^sluice' ORDER BY backend_start`,
    );
    const pid = rows[Math.floor(which * rows.length)]?.pid;
    if (pid !== undefined) await client.query('SELECT pg_terminate_backend($1)', [pid]);
    return pid;
  });
  return killed === undefined ? undefined : 'backend';
}

/** What the ledger says is to be done. */
async function nextStep(victim: Victim, database: string): Promise<{ verb: string; batch: string }> {
  const ledger = new PgDatabase({ url: victim.url(database), described: database, from: 'the torture' });
  try {
    const [there] = await ledger.query<{ there: boolean }>(
      "SELECT to_regclass('sluice.migration_batch') IS NOT NULL AS there",
    );
    const [latest] = there?.there === true ? await listBatches(ledger, 1) : [];
    if (latest === undefined) return { verb: 'run', batch: '' };
    // A killed process's session may not have ended yet.
    let batch = latest;
    for (let i = 0; batch.alive && i < 100; i++) {
      await sleep(100);
      batch = await findBatch(ledger, batch.id);
    }
    if (batch.status === 'completed') return { verb: 'done', batch: batch.id };
    if (batch.status === 'staged') return { verb: 'swap', batch: batch.id };
    return { verb: batch.resumable ? 'resume' : 'run', batch: batch.id };
  } finally {
    await ledger.close();
  }
}

/** What the batch that is published has rejected: reasons and lines, input by input. */
async function rejectsOf(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ rejects: string }>(
    `SELECT coalesce(string_agg(regexp_replace(input, '.*/', '') || ' ' || reason || ' ' || coalesce(line::text, '-'), ', '
                                ORDER BY input, line, reason), '') AS rejects
     FROM sluice.migration_reject WHERE batch_id = (SELECT max(id) FROM sluice.migration_batch WHERE status = 'completed')`,
  );
  return rows[0]?.rejects ?? '';
}

/** Compares live with the undisturbed run, and looks for what should not be there after a cleanup. */
async function compare(
  { name, rejects }: Prepared,
  victim: Victim,
  database: string,
  result: Tortured,
  wrong: (what: string) => void,
): Promise<void> {
  const differs = (a: string, b: string) =>
    `SELECT count(*)::int AS n FROM (SELECT row FROM ${a} EXCEPT ALL SELECT row FROM ${b}) x`;
  await within(victim, database, async (client) => {
    for (const table of scenarios[name].tables) {
      const live = `(SELECT t::text AS row FROM public.${ident(table)} t) l`;
      const expected = `expected.${ident(table)}`;
      const lost = (await client.query(differs(expected, live))).rows[0].n as number;
      const doubled = (await client.query(differs(live, expected))).rows[0].n as number;
      result.lost += lost;
      result.doubled += doubled;
      if (lost + doubled > 0) wrong(`${table}: ${lost} rows lost, ${doubled} doubled`);
    }
    const now = await rejectsOf(client);
    if (now !== rejects) wrong(`the rejects are ${now}, and not ${rejects}`);
  });
  const ledger = new PgDatabase({ url: victim.url(database), described: database, from: 'the torture' });
  const said: string[] = [];
  try {
    await resolveInterrupted(ledger, { warn: into(said) });
    for (const leftover of await findLeftovers(ledger, 0)) await dropLeftover(ledger, leftover);
    const left = await ledger.query<{ what: string }>(
      `SELECT 'schema ' || nspname AS what FROM pg_namespace WHERE nspname ~ '^sluice_'
       UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE tgname ~ '^sluice_guard'
       UNION ALL SELECT 'key ' || conname FROM pg_constraint WHERE conname ~ '__swap$'`,
    );
    if (left.length > 0) wrong(`left after a cleanup: ${left.map(({ what }) => what).join(', ')}`);
  } catch (error) {
    wrong(`the cleanup failed: ${(error as Error).message} (${said.join('; ')})`);
  } finally {
    await ledger.close();
  }
}

async function dropDatabase(victim: Victim, name: string): Promise<void> {
  await admin(victim, (client) => client.query(`DROP DATABASE IF EXISTS ${ident(name)} WITH (FORCE)`));
}

const admin = <T>(victim: Victim, work: (client: pg.Client) => Promise<T>) =>
  within(victim, 'postgres', work);

async function within<T>(
  victim: Victim,
  database: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: victim.url(database) });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
