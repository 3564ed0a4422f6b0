import { raiseWhen } from '../../../sinks/publish/rows/refusals.js';
import { anonymousBlock, type WindowPart, windowPart } from '../../../sinks/publish/window.js';
import { OWNERS_CODE_RUNS, publishErrors } from '../../core/errors/catalogue/publish.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';
import { again, type NextStep } from '../../core/next.js';
import type { Finding } from '../../core/pipeline.js';
import type { Database } from '../../core/run.js';
import { ownersCodeSql, type Written } from '../../db/catalog/owners-code.js';
import { ident, literal, qualified } from '../../db/quote.js';
import { type ServerError, sqlstateOf } from '../../db/server-error.js';
import type { Job } from '../job/job.js';
import { causeOf } from './cause.js';
import { Change, type Site } from './change.js';

/** A table to which rows are written, by the name of live, and how. */
export interface CodeOf {
  readonly schema: string;
  readonly table: string;
  readonly how: Written;
  /** Whether its triggers fire. */
  readonly triggers: boolean;
}

/** The SQLSTATE under which the window says that code of others would run. */
const OWNERS_CODE = 'SL010';

const oidOf = ({ schema, table }: Pick<CodeOf, 'schema' | 'table'>) =>
  `pg_catalog.to_regclass(${literal(qualified(schema, table))})::pg_catalog.oid`;

/** The lines that say which code of others would run with the session's rights. Reads only. */
async function ownersCode(database: Pick<Database, 'query'>, tables: readonly CodeOf[]): Promise<string[]> {
  if (tables.length === 0) return [];
  const all = tables.map(
    (table) => `SELECT c.line FROM (${ownersCodeSql(oidOf(table), table.how, table)}) c`,
  );
  const found = await database.query<{ line: string }>(`${all.join(' UNION ')} ORDER BY 1`);
  return found.map(({ line }) => line);
}

async function wayOut(database: Pick<Database, 'query'>, tables: readonly CodeOf[]): Promise<NextStep[]> {
  const owners = await database.query<{ owner: string }>(
    'SELECT DISTINCT pg_catalog.pg_get_userbyid(c.relowner)::pg_catalog.text AS owner FROM pg_catalog.unnest($1::pg_catalog.text[]) w(name) JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(w.name) ORDER BY 1',
    [tables.map(({ schema, table }) => qualified(schema, table))],
  );
  const names = owners.map(({ owner }) => ident(owner)).join(', ');
  return [`connect as the owner (${names}), or as a role that has its rights and no more`, ...TRUST];
}

const TRUST = [
  'or, where a superuser has looked at the functions, give them to one: ALTER FUNCTION … OWNER TO …',
  again({ flags: { runOwnersCode: true } }, { lead: 'or, where you trust that code as yourself' }),
] as const;

/** Throws refused `owners_code` where code of others would run. */
export async function assertNoOwnersCode(
  database: Pick<Database, 'query'>,
  tables: readonly CodeOf[],
): Promise<void> {
  const lines = await ownersCode(database, tables);
  if (lines.length > 0) throw codeRefusal(lines, await wayOut(database, tables));
}

function codeRefusal(lines: readonly string[], next: readonly NextStep[], cause?: unknown): SluiceError {
  return publishErrors.owners_code({ next }, { details: [...lines], cause });
}

/**
 * The part of a window that stands before all row changes: it locks the tables against being altered, and raises where
 * their owners have put code on them since it was looked. Pure.
 */
function codeParts(tables: readonly CodeOf[]): WindowPart[] {
  return tables
    .filter(({ how }) => how === 'written')
    .map((table) =>
      windowPart(`${table.schema}.${table.table}`, {
        early: [
          // What the row changes take anyway.
          anonymousBlock(`LOCK TABLE ${qualified(table.schema, table.table)} IN ROW EXCLUSIVE MODE;`),
          raiseWhen(
            OWNERS_CODE,
            OWNERS_CODE_RUNS,
            `SELECT CASE WHEN count(*) > 0 THEN pg_catalog.json_agg(c.line) END FROM (${ownersCodeSql(oidOf(table), 'written', table)}) c`,
          ),
        ],
      }),
    );
}

/** The refusal that the error of a window is where codeParts have raised; undefined for any other. */
function codeRefusalOf(cause: unknown): SluiceError | undefined {
  if (sqlstateOf(cause) !== OWNERS_CODE) return undefined;
  const { detail = '[]' } = cause as ServerError;
  return codeRefusal(JSON.parse(detail) as string[], [...TRUST], cause);
}

/**
 * That no code of the tables' owners runs with more rights than theirs: nothing is changed by it, but it is asked before,
 * and once more in the transaction, before all row changes. `tables` are those to which rows are written; none where the
 * user trusts their code.
 */
export class OwnersCode extends Change {
  readonly question = 'rights';

  constructor(
    protected readonly site: Site,
    protected readonly tables: () => readonly CodeOf[],
  ) {
    super();
  }

  override async survey(): Promise<Finding[]> {
    const { database } = this.site;
    const tables = this.tables();
    const lines = await ownersCode(database, tables);
    if (lines.length === 0) return [];
    return [
      { severity: 'error', message: OWNERS_CODE_RUNS, details: lines, next: await wayOut(database, tables) },
    ];
  }

  override window(parts: readonly WindowPart[]): readonly WindowPart[] {
    return [...parts, ...codeParts(this.tables())];
  }

  override async explain(error: unknown): Promise<unknown> {
    return codeRefusalOf(causeOf(error));
  }
}

/** The same of a rollback, which writes rows of tables that were not replaced. */
export class OwnersCodeUndo extends OwnersCode {
  /** Throws refused `owners_code`. */
  override async survey(): Promise<Finding[]> {
    await assertNoOwnersCode(this.site.database, this.tables());
    return [];
  }
}

/** The tables of a job to which rows are written, each as its mode does it; none where the user trusts their code. */
export function writtenBy(job: Pick<Job, 'tables' | 'options'>): CodeOf[] {
  if (job.options.runOwnersCode === true) return [];
  const triggers = job.options.noTriggers !== true;
  return job.tables
    .filter(({ missing }) => missing !== true)
    .map(({ schema, table, target }) => ({
      ...{ schema, table, triggers },
      how: target.mode === 'replace' ? 'staged' : 'written',
    }));
}
