import type { Database } from '../core/run.js';
import { OUR_PATH, type Settings } from './pinned.js';
import { literal } from './quote.js';

/**
 * The search_path that the server, the database, the role and the URL give the user. Sessions of ours begin with another
 * (OUR_PATH): along the user's, anybody who may create in a schema on it puts functions, operators and types in the way
 * that fit a statement better than the server's own, and they run with the rights of whoever types the command. So it
 * decides about three things only: what a table's name without a schema means, the user's own statements, and
 * statements that run the application's code (triggers, defaults, CHECKs, materialized views), which was written for it.
 * A statement of ours that is run along it finds no function, operator or type by it: each is named with its schema.
 */
export interface UsersPath {
  /** As SHOW gives it: `"$user", public`. */
  readonly text: string;
  /** The schemas that it means, in order, as far as they are there and the role may use them. */
  readonly schemas: readonly string[];
}

/** Asked of a session while it has the user's path: nothing in it is looked up along that. */
export const ASK_PATH =
  "SELECT pg_catalog.current_setting('search_path') AS text, pg_catalog.to_json(pg_catalog.current_schemas(false)) AS schemas";

/** What a session is told at its start of the user's path, for `USERS_PATH`. */
const NOTED = 'sluice.search_path';

/** `settings` for a session that runs the application's code, whose start it is told `path` at. */
export function besides(settings: Settings, path: UsersPath): Settings {
  return { ...settings, [NOTED]: path.text };
}

const toUsers = `pg_catalog.set_config('search_path', pg_catalog.current_setting('${NOTED}'), true)`;
const toOurs = `pg_catalog.set_config('search_path', '${OUR_PATH}', true)`;

/**
 * From here to `TO_OUR_PATH`, or the transaction's end, names are looked up along the user's path: in a session that was
 * connected with PINNED_BESIDE_CODE.
 */
export const TO_USERS_PATH = `SELECT ${toUsers}`;
export const TO_OUR_PATH = `SELECT ${toOurs}`;

/**
 * `statements`, which run the application's code, along the user's path: in a transaction of a session that was
 * connected with PINNED_BESIDE_CODE. Ours again behind them. They may name no function, operator or type without its schema. Pure.
 */
export function alongUsersPath(statements: readonly string[]): string[] {
  return statements.length === 0 ? [] : [TO_USERS_PATH, ...statements, TO_OUR_PATH];
}

/** The same within a body of plpgsql: statements without their last semicolon. Pure. */
export function alongUsersPathInBlock(statement: string): string {
  return `PERFORM ${toUsers}; ${statement}; PERFORM ${toOurs}`;
}

/** A statement that gives a session, or its transaction alone (`local`), this path (`UsersPath.text`). */
export function pathStatement(path: string, local = false): string {
  return `SELECT pg_catalog.set_config('search_path', ${literal(path)}, ${local})`;
}

/**
 * A condition that gives the transaction this path when the query begins to be run, which was read and planned along the
 * session's before: PostgreSQL asks a condition without columns once, before the first row. For expressions out of the
 * catalog, whose functions look things up along it.
 */
export function pathGate(path: string): string {
  return `(${pathStatement(path, true)}) IS NOT NULL`;
}

/** Gives the session our path again. */
export const OUR_PATH_STATEMENT = `SET search_path = ${OUR_PATH}`;

const behind = new WeakMap<Database, Database>();

/** Notes that `users` is `ours` as a pipeline sees it. */
export function noteUsers(users: Database, ours: Database): void {
  behind.set(users, ours);
}

/** The database behind the one that a pipeline was given, for statements of ours: along our path. */
export function ourDatabase(database: Database): Database {
  return behind.get(database) ?? database;
}
