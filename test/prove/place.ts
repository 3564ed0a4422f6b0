import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { ident } from '../../src/db/quote.js';
import { type Ended, sluice } from '../support/cli.js';
import { LIVE } from './scenarios.js';
import { type Wire, wireTo } from './wire.js';

/** A database of one case and the folder that commands are typed in. */
export interface Case {
  readonly name: string;
  readonly folder: string;
  /** Runs statements there, undisturbed. */
  set(sql: string): Promise<void>;
  /** Types a command, by way of the wire. */
  type(args: readonly string[]): Promise<Ended>;
  /** What live is. */
  live(): Promise<string[]>;
  /** Batches as the ledger has them: `1 completed`. */
  batches(): Promise<string[]>;
  /** What is left over: schemas of batches that need none, locks, sessions, files. */
  leftovers(): Promise<string[]>;
  /** Resolves when the server has noticed that the command is gone. */
  settled(): Promise<boolean>;
  drop(): Promise<void>;
}

/** Makes databases for cases, and is the way to them. */
export class Place {
  readonly #made: string[] = [];

  private constructor(
    readonly url: string,
    readonly wire: Wire,
    readonly admin: pg.Client,
  ) {}

  static async open(url: string): Promise<Place> {
    const admin = new pg.Client({ connectionString: url });
    await admin.connect();
    return new Place(url, await wireTo(url), admin);
  }

  /** A database as a copy of `from`, with these files in a folder. */
  async make(from: string, files: Readonly<Record<string, string>> = {}): Promise<Case> {
    const name = `prove_${randomBytes(6).toString('hex')}`;
    await this.admin.query(`CREATE DATABASE ${ident(name)} TEMPLATE ${ident(from)} STRATEGY file_copy`);
    this.#made.push(name);
    const folder = mkdtempSync(join(tmpdir(), 'sluice-prove-'));
    mkdirSync(join(folder, '.sluice'));
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
    const before = filesIn(folder);
    const direct = new URL(this.url);
    direct.pathname = `/${name}`;
    const ask = async (sql: string): Promise<string[]> => {
      const client = new pg.Client({ connectionString: direct.href });
      await client.connect();
      try {
        const answer = await client.query<{ line: string }>(sql);
        return Array.isArray(answer) ? [] : answer.rows.map(({ line }) => line);
      } finally {
        await client.end();
      }
    };
    return {
      name,
      folder,
      async set(sql) {
        await ask(sql);
      },
      type: (args) => sluice(args, { cwd: folder, env: { SLUICE_DATABASE_URL: this.wire.url(name) } }),
      live: () => ask(LIVE),
      batches: () =>
        ask("SELECT id || ' ' || status AS line FROM sluice.migration_batch ORDER BY id").catch(() => []),
      leftovers: async () => [
        ...(await ask(LEFT).catch(() => ['no ledger'])),
        ...filesIn(folder)
          .filter((file) => !before.includes(file))
          .map((file) => `file ${file}`),
      ],
      settled: async () => {
        for (const until = Date.now() + 30_000; Date.now() < until; await sleep(20)) {
          const { rows } = await this.admin.query(
            `SELECT FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE 'sluice %'`,
            [name],
          );
          if (rows.length === 0) return true;
        }
        return false;
      },
      drop: async () => {
        rmSync(folder, { recursive: true, force: true });
        await this.admin.query(`DROP DATABASE IF EXISTS ${ident(name)} WITH (FORCE)`);
      },
    };
  }

  async close(): Promise<void> {
    for (const name of this.#made)
      await this.admin.query(`DROP DATABASE IF EXISTS ${ident(name)} WITH (FORCE)`).catch(() => {});
    await this.wire.close();
    await this.admin.end();
  }
}

/** Schemas but the ledger's with the status of their batch, and locks that nobody needs any more. */
const LEFT = `
SELECT 'schema ' || regexp_replace(n.nspname, '[0-9]+', 'of') || ' a ' || coalesce(b.status, '?') || ' batch' AS line
FROM pg_namespace n LEFT JOIN sluice.migration_batch b ON n.nspname ~ ('_' || b.id || '(_|$)')
WHERE n.nspname LIKE 'sluice\\_%'
UNION ALL
SELECT 'trigger ' || regexp_replace(tgname, '[0-9]+', 'of') FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid
WHERE NOT tgisinternal AND c.relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'advisory lock' FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
WHERE l.locktype = 'advisory'
ORDER BY 1`;

/** Logs are kept whatever becomes of a batch. */
const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (file) => !/\.sluice(\/logs.*)?$/.test(file),
  );
