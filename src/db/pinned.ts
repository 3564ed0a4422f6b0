/** Settings of a session, by name. */
export type Settings = Readonly<Record<string, string>>;

/**
 * How long a session may work, wait and do nothing: as long as the work takes. A role's limits are meant for
 * applications, and a load, an index build, or a source that is slow to come takes longer. Where a wait of ours is to
 * be bounded, its own statement says so.
 */
const UNHURRIED: Settings = {
  statement_timeout: '0',
  lock_timeout: '0',
  idle_session_timeout: '0',
  idle_in_transaction_session_timeout: '0',
};

/** What transactions are where none of our statements says it: the publish decides by what it sees once it has its locks. */
const TRANSACTIONS: Settings = {
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
};

/** How values and names read that the server writes as text. TimeZone stays the role's: text says its offset. */
export const TEXT: Settings = {
  DateStyle: 'ISO',
  IntervalStyle: 'postgres',
  bytea_output: 'hex',
  extra_float_digits: '1',
  array_nulls: 'on',
  xmloption: 'content',
};

/**
 * Where our statements find functions, operators, types and the catalog: nowhere that anybody else can put something.
 * What was made for the session alone comes last, for it would come first where it is not named.
 */
export const OUR_PATH = 'pg_catalog, pg_temp';

/**
 * What sessions have that run the application's own code (triggers, defaults, materialized views): for the rest it was
 * written for the settings that the role has. Its search_path is theirs only around that code (`users-path.ts`). They read nothing else of the application's than what publishing needs,
 * which is refused beforehand for tables of which a policy hides rows.
 */
export const PINNED_BESIDE_CODE: Settings = {
  search_path: OUR_PATH,
  ...UNHURRIED,
  ...TRANSACTIONS,
  // Our questions compare names that the server has quoted.
  quote_all_identifiers: 'off',
  // Several statements in one message are read before the first of them is run.
  standard_conforming_strings: 'on',
  // Where Citus makes a schema a tenant's, what is made in it is distributed. A server without Citus keeps the name unused.
  'citus.enable_schema_based_sharding': 'off',
};

/**
 * What every other session of ours has from its first moment on, whatever the server, the database, the role or the
 * URL say: the one place for settings that what we read and write depends on.
 */
export const PINNED: Settings = {
  ...PINNED_BESIDE_CODE,
  ...TEXT,
  // A policy would take rows out of what is read, and nobody would know: the server refuses such statements.
  row_security: 'off',
};

/**
 * What a session is told first where the server knows it: a start-up packet that names a setting which the server
 * does not have is refused. By the number of the server's version.
 */
export function firstStatements(serverVersion: number): string[] {
  return serverVersion >= 17 ? ['SET transaction_timeout = 0'] : [];
}

/**
 * The options of a session's start-up packet, for which `given` stood in the URL or PGOPTIONS. Of one setting that is
 * given twice the server takes the later.
 */
export function startupOptions(given: string | undefined, settings: Settings): string {
  const ours = Object.entries(settings).map(
    ([name, value]) => `-c ${name}=${value.replace(/[\\\s]/g, '\\$&')}`,
  );
  return [...(given === undefined || given.trim() === '' ? [] : [given]), ...ours].join(' ');
}
