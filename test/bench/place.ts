import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { ident, literal } from '../../src/db/quote.js';
import { projectFolder } from '../support/server.js';
import type { Command } from './measure.js';

/** Where the benchmark works: a folder for its files, and a server that nobody else uses. */
export class Place {
  constructor(
    readonly folder: string,
    readonly url: string,
  ) {}

  /** The path of one of the benchmark's own compiled files. */
  compiled(name: string): string {
    return fileURLToPath(new URL(`./${name}`, import.meta.url));
  }

  /** A Node process of the benchmark's own, given the server's URL first. */
  node(name: string, args: readonly string[]): Command {
    return { program: process.execPath, args: [this.compiled(name), this.url, ...args], cwd: this.folder };
  }

  /** The command line as users start it. */
  sluice(args: readonly string[], stdin?: string): Command {
    const { bin } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as {
      bin: { sluice: string };
    };
    return {
      program: process.execPath,
      args: [join(projectFolder, bin.sluice), ...args, '--database-url', this.url],
      cwd: this.folder,
      ...(stdin === undefined ? {} : { stdin }),
    };
  }

  /** Runs SQL text (several statements) and gives the rows of the last. */
  async query(sql: string, url = this.url): Promise<Record<string, string>[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      const results = [await client.query(sql)].flat();
      return results.at(-1)?.rows ?? [];
    } finally {
      await client.end();
    }
  }

  /**
   * Makes the database anew as `make` fills it; what it made is kept as a template under `name` and copied
   * the next time. Copying ends in a checkpoint, so every run starts from a server at rest.
   */
  async restore(name: string, make: (url: string) => Promise<void>): Promise<void> {
    const admin = this.#urlOf('postgres');
    const template = `bench_${name}`;
    const known = await this.query(`SELECT FROM pg_database WHERE datname = ${literal(template)}`, admin);
    if (known.length === 0) {
      const making = `${template}_new`;
      await this.query(`DROP DATABASE IF EXISTS ${ident(making)} WITH (FORCE)`, admin);
      await this.query(`CREATE DATABASE ${ident(making)}`, admin);
      await make(this.#urlOf(making));
      await this.query('VACUUM (ANALYZE)', this.#urlOf(making));
      await this.query(`ALTER DATABASE ${ident(making)} RENAME TO ${ident(template)}`, admin);
    }
    const own = ident(new URL(this.url).pathname.slice(1));
    await this.query(`DROP DATABASE IF EXISTS ${own} WITH (FORCE)`, admin);
    await this.query(`CREATE DATABASE ${own} TEMPLATE ${ident(template)} STRATEGY FILE_COPY`, admin);
  }

  #urlOf(database: string): string {
    const url = new URL(this.url);
    url.pathname = `/${database}`;
    return url.href;
  }

  /** Rows and a sum of hashes of every table in `public`: the same for the same rows in any order. */
  async checksum(tables: readonly string[]): Promise<string> {
    const sums = tables.map(
      (table) =>
        `SELECT ${literal(table)} || ' ' || count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)), 0) AS sum FROM public.${table} t`,
    );
    return (await this.query(sums.join(' UNION ALL '))).map((row) => row.sum).join(', ');
  }
}
