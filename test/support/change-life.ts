import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type Pipeline, validation } from '../../src/core/pipeline.js';
import { addressOf } from '../../src/db/address.js';
import { PgDatabase } from '../../src/db/connect.js';
import { planPipeline } from '../../src/run/check.js';
import type { RunOptions } from '../../src/run/given/options.js';
import { dropLeftover, findLeftovers } from '../../src/run/maintain/cleanup.js';
import { rollbackViews } from '../../src/run/rollback/old-names.js';
import { rollbackBatch } from '../../src/run/rollback.js';
import { runPipeline } from '../../src/run/run.js';
import { findStaged, swapBatch } from '../../src/run/swap.js';
import { type TestDatabase, testDatabase, WITHOUT_LEDGER } from './database.js';
import { type Change, pipelineOf } from './every-change.js';
import { changed, FACTS } from './facts.js';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const no = validation('no', 'always says no', async () => [{ severity: 'error', message: 'no' }]);

/** What Sluice has in a database besides its ledger, wherever it is; and the schemas of others. */
const OURS = `
SELECT 'ours: schema ' || nspname AS line FROM pg_namespace WHERE nspname ~ '^sluice_'
UNION ALL SELECT format('ours: relation %s.%s', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname ~ '^sluice_' AND c.relkind <> 'i'
UNION ALL SELECT format('ours: function %s.%s', n.nspname, p.proname) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname ~ '^sluice_'
UNION ALL SELECT 'ours: event trigger ' || evtname FROM pg_event_trigger WHERE evtname ~ '^sluice'
UNION ALL SELECT format('schema %s of %s: %s', nspname, pg_get_userbyid(nspowner), nspacl) FROM pg_namespace WHERE nspname !~ '^(pg_|sluice)'`;

/** Locks on tables that a session of Sluice holds; its claims are advisory, and go with the session. */
const HELD = `
SELECT format('%s on %s, held by %s', l.mode, l.relation::regclass, a.application_name) AS line FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'relation' AND a.datname = current_database() AND a.application_name ~ '^sluice' ORDER BY 1`;

/** One command after the other, each with sessions of its own, as a user types them. */
class Commands {
  constructor(
    readonly live: TestDatabase,
    readonly trusting: boolean,
  ) {}

  async #as<T>(work: (options: RunOptions) => Promise<T>): Promise<T> {
    const { url } = this.live;
    const database = new PgDatabase(addressOf(url, 'the test'));
    try {
      return await work({ database, log: quiet, ...(this.trusting ? { runOwnersCode: true } : {}) });
    } finally {
      const held = await this.live.query(HELD);
      await database.close();
      assert.deepEqual(held, []);
    }
  }

  plan = (of: Pipeline) =>
    this.#as(async (options) => (await planPipeline(of, options)).plan.publish?.statements);
  run = (of: Pipeline, more: Partial<RunOptions> = {}) =>
    this.#as(async (options) => (await runPipeline(of, { ...options, ...more })).summary);
  start = async (of: Pipeline) => {
    const { status, batch } = await this.run(of, { publish: false });
    assert.equal(status, 'staged');
    return batch as string;
  };
  complete = (of: Pipeline, batch: string) =>
    this.#as(async (options) => swapBatch(of, await findStaged(options.database, batch), options));
  rollback = (batch: string) => this.#as((options) => rollbackBatch(batch, options));
  rollbackViews = (batch: string) => this.#as((options) => rollbackViews(batch, options));
  cleanUp = () =>
    this.#as(async ({ database }) => {
      for (const leftover of await findLeftovers(database, 0)) await dropLeftover(database, leftover);
    });
}

/** All that a user sees of the database: the rows of every table, the catalog, and what Sluice has in it. */
async function look(live: TestDatabase): Promise<string[]> {
  const client = await live.connect();
  try {
    await client.query("SET search_path = ''");
    const lines = async (sql: string) =>
      (await client.query<{ line: string }>(sql)).rows.map((row) => row.line);
    const tables = await lines(
      "SELECT format('%I.%I', n.nspname, c.relname) AS line FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'v') AND n.nspname !~ '^(pg_|sluice)' AND n.nspname <> 'information_schema'",
    );
    const rows = tables.map(
      (table) => `SELECT 'row of ${table} ' || to_jsonb(t)::text AS line FROM ${table} t`,
    );
    return [
      ...(await lines(rows.join(' UNION ALL '))),
      ...(await lines(FACTS)),
      ...(await lines(OURS)),
    ].sort();
  } finally {
    await client.end();
  }
}

/** Everything that can become of a batch that makes all of some changes, each with its way back to where it began. */
export class Life {
  readonly #commands: Commands;
  readonly #of: Pipeline;
  /** Names of what is made as soon as the batch starts, of what its publish makes, and of what that moves. */
  readonly #made: Readonly<Record<keyof Change['makes'], RegExp>>;

  private constructor(
    readonly live: TestDatabase,
    readonly changes: readonly Change[],
    readonly before: readonly string[],
  ) {
    this.#commands = new Commands(
      live,
      changes.some(({ runOwnersCode }) => runOwnersCode),
    );
    this.#of = pipelineOf(changes, 0);
    const named = (when: keyof Change['makes'], sign: string) =>
      new RegExp(
        `^${sign} (?!ours: ).*\\b(${changes.flatMap(({ makes }) => makes[when]).join('|') || '(?!)'})`,
        's',
      );
    this.#made = {
      atStart: named('atStart', '\\+'),
      atPublish: named('atPublish', '\\+'),
      moved: named('moved', '[+-]'),
    };
  }

  /** Makes a database with what is there before `changes`. */
  static async begin(t: TestContext, ...changes: readonly Change[]): Promise<Life> {
    const live = await testDatabase(t);
    await live.query(changes.map(({ sql }) => sql).join(';\n'));
    return new Life(live, changes, await look(live));
  }

  /** Planned, started, undone; started, completed (at the second try), rolled back, cleaned up. */
  async inSteps(): Promise<void> {
    const { plan, start, complete, rollback, cleanUp } = this.#commands;
    assert.notEqual(await plan(this.#of), '');
    await this.#asBefore('a plan');
    const undone = await start(this.#of);
    await this.#asBefore('a start', this.#isStaged);
    await this.#assertRecords(undone, (line) => line.replace(/ .*/, ' pending'));
    await cleanUp();
    await this.#asBefore('a start that was undone');
    assert.equal(await this.#statusOf(undone), 'failed');
    const batch = await start(this.#of);
    await this.#refusing(() => assert.rejects(complete(this.#of, batch), /not_today/));
    await this.#asBefore('a publish that failed', this.#isStaged);
    assert.equal(await this.#statusOf(batch), 'staged');
    await complete(this.#of, batch);
    await this.#asWanted(batch);
    await rollback(batch);
    await this.#asBefore('a rollback', isKept);
    assert.equal(await this.#statusOf(batch), 'rolled_back');
    await this.#assertRecords(batch, (line) => line.replace('success', 'rolled_back'));
    await cleanUp();
    await this.#asBefore('a rollback that was cleaned up');
  }

  /** Rehearsed, refused by a validation, run in one go, and run again; then back. */
  async inOneGo(): Promise<void> {
    const { run, rollback, cleanUp } = this.#commands;
    assert.equal((await run(this.#of, { rehearse: true })).status, 'rehearsed');
    await this.#asBefore('a rehearsal');
    const refused = pipelineOf(this.changes, 0, { validations: [no] });
    await assert.rejects(run(refused), { code: 'validation_refused' });
    await this.#asBefore('a validation that refused');
    const first = await run(this.#of);
    const completed = await this.#asWanted(first.batch as string);
    const second = await run(pipelineOf(this.changes, 1));
    const repeats = this.changes.every((each) => each.repeats);
    assert.equal(second.status, repeats ? 'unchanged' : 'completed');
    if (!repeats) await rollback(second.batch as string);
    same('a second run', completed, await look(this.live), isKept);
    await rollback(first.batch as string);
    await cleanUp();
    await this.#asBefore('two runs and the way back');
  }

  /** Read only; written behind its back; run in one go with a window that fails. */
  async failing(): Promise<void> {
    const { run, start, complete, cleanUp } = this.#commands;
    await this.live.query(WITHOUT_LEDGER);
    await run(this.#of, { dryRun: true });
    await this.#asBefore('a dry run');
    assert.deepEqual(await this.live.query("SELECT FROM pg_namespace WHERE nspname = 'sluice'"), []);
    for (const { write, table } of this.changes) {
      if (write === undefined) continue;
      const batch = await start(this.#of);
      await this.live.query(write[0]);
      await assert.rejects(complete(this.#of, batch), { code: 'live_written_during_load' });
      await this.live.query(write[1]);
      await cleanUp();
      await this.#asBefore(`a write to ${table} before the batch was completed`);
    }
    // Makes the ledger, where nothing was guarded above.
    await run(this.#of, { rehearse: true });
    await this.#refusing(() => assert.rejects(run(this.#of), /not_today/));
    await this.#asBefore('a run whose publish failed');
  }

  /** Completed and cleaned up: what is published stays, and there is no way back. */
  async forGood(): Promise<void> {
    const { run, rollback, cleanUp } = this.#commands;
    const { batch } = await run(this.#of);
    await cleanUp();
    await this.#asWanted(batch as string, (line) => /sluice_compat_/.test(line));
    await assert.rejects(rollback(batch as string), { code: 'not_kept' });
  }

  /** Only the old names go back to the old tables; then all of it. */
  async oldNamesFirst(): Promise<void> {
    const { run, rollback, rollbackViews, cleanUp } = this.#commands;
    const { batch } = await run(this.#of);
    await rollbackViews(batch as string);
    await this.#asBefore('the old names alone', (line) => isKept(line) || this.#isRow(line));
    await rollback(batch as string);
    await cleanUp();
    await this.#asBefore('the old names, then the rest');
  }

  /** Refused by its own rows in a run, with nothing left. */
  async refused(code: string): Promise<void> {
    await assert.rejects(this.#commands.run(this.#of), { code });
    await this.#asBefore('a refused run');
  }

  async #asBefore(step: string, meant?: (line: string) => boolean): Promise<readonly string[]> {
    const now = await look(this.live);
    same(step, this.before, now, meant);
    return now;
  }

  /** As the changes want it and the ledger says, and otherwise as before; `kept` tells what is kept for the way back. */
  async #asWanted(batch: string, kept: (line: string) => boolean = isKept): Promise<readonly string[]> {
    const now = await this.#asBefore(
      'a completed batch',
      (line) =>
        kept(line) || this.#isRow(line) || Object.values(this.#made).some((names) => names.test(line)),
    );
    for (const { wants } of this.changes)
      for (const [sql, wanted] of Object.entries(wants))
        assert.deepEqual(await this.#lines(sql), wanted, sql);
    assert.equal(await this.#statusOf(batch), 'completed');
    await this.#assertRecords(batch, (line) => line);
    return now;
  }

  async #assertRecords(batch: string, expected: (line: string) => string): Promise<void> {
    for (const { table, records } of this.changes)
      assert.deepEqual(
        await this.#lines(
          "SELECT source_id || ' ' || status AS line FROM sluice.migration_record WHERE batch_id = $1 AND input = $2 ORDER BY number",
          [batch, table],
        ),
        records.map(expected),
      );
  }

  async #statusOf(batch: string): Promise<string | undefined> {
    return (await this.#lines('SELECT status AS line FROM sluice.migration_batch WHERE id = $1', [batch]))[0];
  }

  async #lines(sql: string, parameters: readonly unknown[] = []): Promise<string[]> {
    return (await this.live.query<{ line: string }>(sql, parameters)).map(({ line }) => line);
  }

  /** Has the ledger refuse its record of the publish, with which the window ends. */
  async #refusing(work: () => Promise<unknown>): Promise<void> {
    const table = 'ALTER TABLE sluice.migration_publish';
    await this.live.query(`${table} ADD CONSTRAINT not_today CHECK (batch_id < 0) NOT VALID`);
    await work();
    await this.live.query(`${table} DROP CONSTRAINT not_today`);
  }

  /** A row of what the batch fills. */
  #isRow = (line: string) =>
    this.changes.some(({ table }) => new RegExp(`^[+-] row of public\\.${table}(_sums)? `).test(line));

  /** What a staged batch has in the database: its schemas, the guard, and tables that were missing. */
  #isStaged = (line: string) =>
    /^\+ .*\bsluice_(staging|old|guard)_\d+/s.test(line) || this.#made.atStart.test(line);
}

/** Takes a batch that makes all of `changes` through what it takes in steps, and then in one go. */
export async function liveThrough(t: TestContext, ...changes: readonly Change[]): Promise<void> {
  const life = await Life.begin(t, ...changes);
  await life.inSteps();
  await life.inOneGo();
}

/** What is kept for the way back, or of it. */
const isKept = (line: string) => /^\+ ours: .*\bsluice_(old|undone|compat)_\d+/.test(line);

/** Throws where `after` is not as `before`, but for lines that are `meant` to differ. */
function same(
  step: string,
  before: readonly string[],
  after: readonly string[],
  meant: (line: string) => boolean = () => false,
): void {
  const differs = changed(before, after).filter((line) => !meant(line));
  assert.deepEqual({ step, differs }, { step, differs: [] });
}
