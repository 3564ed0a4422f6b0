import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Ended, sluice, startSluice } from '../../support/cli.js';
import { EMPTY, testDatabase } from '../../support/database.js';
import { tempFolder } from '../../support/files.js';
import { testRole } from '../../support/role.js';
import { until } from '../../support/until.js';

/** In two segments of 8 MiB and the beginning of a third. */
const ROWS = 20_000;
const PASSWORD = 'quite-secret-4711';

/** A table of a role that logs in with a password, a file of many rows for it, and the command line as that role. */
async function setUp(t: TestContext) {
  const database = await testDatabase(t, { template: EMPTY });
  const role = await testRole(t);
  await database.query(`
    ALTER ROLE ${role} LOGIN PASSWORD '${PASSWORD}';
    ALTER DATABASE ${database.name} OWNER TO ${role};
    ALTER SCHEMA public OWNER TO ${role};
    CREATE FUNCTION taken(integer) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
      IF $1 = ${ROWS - 10} THEN PERFORM pg_advisory_xact_lock_shared(77); END IF; RETURN true; END $$;
    CREATE DOMAIN taken_id AS integer CHECK (taken(VALUE));
    CREATE TABLE big (id taken_id PRIMARY KEY, filler text);
    INSERT INTO big VALUES (-1, 'the old one');
    ALTER TABLE big OWNER TO ${role}; ALTER DOMAIN taken_id OWNER TO ${role}`);
  const cwd = tempFolder(t);
  const filler = 'x'.repeat(1000);
  const lines = Array.from({ length: ROWS }, (_, i) => `${i},${filler}\n`);
  writeFileSync(join(cwd, 'big.csv'), `id,filler\n${lines.join('')}`);
  const url = new URL(database.url);
  url.username = role;
  url.password = PASSWORD;
  const options = { cwd, env: { DATABASE_URL: url.href } };
  const start = (command: string) => {
    const running = startSluice(command.split(' '), options);
    t.after(() => running.child.kill('SIGKILL'));
    return running;
  };
  return {
    database,
    role,
    run: (command: string) => sluice(command.split(' '), options),
    start,
    /** A copy that is held up behind its committed segments, until `release`. */
    async heldUp() {
      const holder = await database.connect();
      await holder.query('SELECT pg_advisory_lock(77)');
      const running = start(COPY);
      await until('a wait behind the committed segments', async () => {
        assert.equal(running.child.exitCode, null, 'it was done before');
        const waiting = await database.query(
          "SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 77 AND NOT granted",
        );
        return waiting.length > 0;
      });
      return { running, release: () => holder.query('SELECT pg_advisory_unlock(77)') };
    },
    /** The password expires; whoever is logged in with it is thrown out, or stays. */
    async expire(who: 'thrown out' | 'stays' = 'thrown out') {
      await database.query(`ALTER ROLE ${role} VALID UNTIL '2000-01-01'`);
      if (who === 'stays') return;
      await database.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${role}'`,
      );
    },
    renew: () => database.query(`ALTER ROLE ${role} VALID UNTIL 'infinity'`),
    live: () =>
      database.query(
        'SELECT count(*)::int AS n, count(DISTINCT id)::int AS ids, min(id)::int AS first FROM big',
      ),
  };
}

const OLD = [{ n: 1, ids: 1, first: -1 }];
const NEW = [{ n: ROWS, ids: ROWS, first: 0 }];
const COPY = 'copy big.csv --into big --mode replace --yes';

/** It failed, named the user and what an administrator does, and kept the password to itself. */
function tells({ code, stdout, stderr }: Ended, role: string): void {
  assert.equal(code, 1, stderr);
  assert.match(
    stderr,
    new RegExp(
      `cannot connect to \\S+ as ${role} \\(from DATABASE_URL\\): the password is wrong for that user, or has expired`,
    ),
  );
  assert.match(
    stderr,
    new RegExp(`if it has expired: ALTER ROLE ${role} VALID UNTIL '…', as an administrator`),
  );
  assert.doesNotMatch(stdout + stderr, new RegExp(PASSWORD));
}

test('a password that expires in mid-load is said so, and once it is renewed the load goes on', async (t) => {
  const { role, run, heldUp, expire, renew, live } = await setUp(t);
  const { running, release } = await heldUp();
  await expire();
  const lost = await running.ended;
  tells(lost, role);
  assert.match(lost.stderr, /then: sluice copy big\.csv --into big --mode replace --yes --resume 1 /);
  assert.match(lost.stderr, /state: nothing was published; live tables are untouched; staging is kept/);
  assert.deepEqual(await live(), OLD);
  // Nobody gets in as long as it has expired, and it is said at once.
  tells(await run('status 1'), role);
  tells(await run(COPY), role);
  await renew();
  await release();
  const status = await run('status 1');
  assert.match(status.stdout, /status +interrupted\n/);
  assert.match(status.stdout, /next: sluice copy big\.csv --into big --mode replace --resume 1/);
  // The next run tells of it; this one comes to nothing.
  const other = await run(`${COPY} --rehearse`);
  assert.match(
    other.stderr,
    /batch 1 .* was interrupted; nothing of it is live\n +next: sluice copy .* --resume 1 {3}\(resumes it\)/,
  );
  const resumed = await run(`${COPY} --resume 1`);
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.deepEqual(await live(), NEW);
});

test('a password that expires while its sessions stay ends the run where a new one is needed, with its staging complete', async (t) => {
  const { role, run, heldUp, expire, renew, live } = await setUp(t);
  const { running, release } = await heldUp();
  await expire('stays');
  await release();
  const lost = await running.ended;
  tells(lost, role);
  assert.match(lost.stderr, /state: nothing was published; live tables are untouched; batch 1 is staged\n/);
  assert.match(lost.stderr, /then: sluice swap 1 {3}\(publishes what is staged\)/);
  assert.deepEqual(await live(), OLD);
  await renew();
  assert.match((await run('status 1')).stdout, /status +staged\n/);
  const swapped = await run('swap 1 --yes');
  assert.equal(swapped.code, 0, swapped.stderr);
  assert.deepEqual(await live(), NEW);
});

test('a password that expires in the publishing window is said at once, and swap ends what was staged', async (t) => {
  const { database, role, run, start, expire, renew, live } = await setUp(t);
  const reader = await database.connect();
  await reader.query('BEGIN; SELECT FROM big');
  const running = start(COPY);
  await until('a wait in the window', async () => {
    const waiting = await database.query(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name ~ 'publish'",
    );
    return waiting.length > 0;
  });
  const from = performance.now();
  await expire();
  const lost = await running.ended;
  await reader.query('ROLLBACK');
  tells(lost, role);
  assert.match(lost.stderr, /state: all of it is published, or none: the ledger knows$/m);
  // It does not ask for as long as it would ask a server that restarts.
  assert.ok(performance.now() - from < 20_000);
  assert.deepEqual(await live(), OLD);
  await renew();
  const status = await run('status 1');
  assert.match(status.stdout, /status +staged \(interrupted; the next command resolves it\)\n/);
  assert.match(status.stdout, /next: sluice swap 1 /);
  const swapped = await run('swap 1 --yes');
  assert.equal(swapped.code, 0, swapped.stderr);
  assert.deepEqual(await live(), NEW);
});
