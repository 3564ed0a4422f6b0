import { ident, literal, qualified } from '../../src/db/quote.js';
import { raiseWhen, SQLSTATE } from '../rows/refusals.js';
import {
  GUARD_EVENTS,
  type Guard,
  type GuardedTable,
  journalFunction,
  journalTable,
  nameLiteral,
  triggerName,
} from './names.js';

/**
 * Creates the journal, which gets a row for each statement that touched rows, and its two trigger functions
 * in the guard's schema. SECURITY DEFINER with a fixed search_path: writers need no right on the journal or
 * its schema, and cannot slip in functions of their own. Each row carries its transaction's id, so that the pipeline's own publish can be told from others.
 */
export function journalStatements(guard: Guard): string[] {
  const journal = journalTable(guard);
  const note = (touched: string) =>
    `INSERT INTO ${journal} (relation, schema_name, table_name, operation, touched, username, application, pid, xid) VALUES (TG_RELID, TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP, ${touched}, session_user, current_setting('application_name'), pg_backend_pid(), pg_current_xact_id())`;
  const make = (name: string, body: string) =>
    `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS ${literal(body)}`;
  return [
    `CREATE TABLE ${journal} (relation oid NOT NULL, schema_name text NOT NULL, table_name text NOT NULL, operation text NOT NULL, touched bigint, username text NOT NULL, application text NOT NULL, pid integer NOT NULL, xid xid8 NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp())`,
    make(
      journalFunction(guard, 'rows'),
      `DECLARE touched bigint; BEGIN SELECT count(*) INTO touched FROM sluice_rows; IF touched > 0 THEN ${note('touched')}; END IF; RETURN NULL; END`,
    ),
    make(journalFunction(guard, 'truncate'), `BEGIN ${note('NULL')}; RETURN NULL; END`),
  ];
}

/**
 * The triggers on one table: AFTER each statement, with a transition table, so that a statement that touched
 * no row is told from one that did. ALWAYS, since a session with session_replication_role = replica would
 * pass unseen otherwise; that needs the owner, CREATE TRIGGER alone the TRIGGER privilege.
 */
export function triggerStatements(guard: Guard, table: GuardedTable): string[] {
  const on = qualified(table.schema, table.table);
  return GUARD_EVENTS.flatMap(({ suffix, event, rows }) => {
    const name = ident(triggerName(guard.batch, suffix));
    const referencing = rows === null ? '' : ` REFERENCING ${rows} TABLE AS sluice_rows`;
    const run = journalFunction(guard, rows === null ? 'truncate' : 'rows');
    return [
      `CREATE TRIGGER ${name} AFTER ${event} ON ${on}${referencing} FOR EACH STATEMENT EXECUTE FUNCTION ${run}()`,
      `ALTER TABLE ${on} ENABLE ALWAYS TRIGGER ${name}`,
    ];
  });
}

/** Writes of others, per table: a json value with an entry a table, and lines that say by whom. */
export function writesQuery(guard: Guard, only: string): string {
  const line = `w.schema_name || '.' || w.table_name || ': ' || w.n || ' ' || w.operation || ' statement' || CASE WHEN w.n > 1 THEN 's' ELSE '' END || coalesce(' (' || w.touched || ' rows)', '') || ' by ' || w.username || coalesce(' as ' || nullif(w.application, ''), '') || ', last at ' || w.last`;
  return `SELECT CASE WHEN count(*) > 0 THEN json_build_object('table', min(w.schema_name || '.' || w.table_name), 'count', sum(w.n), 'list', json_agg(${line} ORDER BY w.n DESC) FILTER (WHERE w.i <= 20)) END FROM (SELECT j.schema_name, j.table_name, j.operation, j.username, j.application, count(*) AS n, sum(j.touched) AS touched, max(j.at) AS last, row_number() OVER (ORDER BY count(*) DESC) AS i FROM ${journalTable(guard)} j WHERE ${only} GROUP BY 1, 2, 3, 4, 5) w`;
}

/**
 * Statements for the window that raise where others wrote to `table` since the guard was armed, or where a
 * trigger of the guard is gone or off. Only meaningful once the table is locked against writers: until then
 * a transaction that has written may still be about to commit. What the window's own transaction wrote does
 * not count. See rowRefusal.
 */
export function guardChecks(guard: Guard, table: GuardedTable): string[] {
  const relation = `${nameLiteral(table)}::regclass`;
  const names = GUARD_EVENTS.map(({ suffix }) => literal(triggerName(guard.batch, suffix))).join(', ');
  const armed = `SELECT CASE WHEN count(*) < ${GUARD_EVENTS.length} THEN json_build_object('table', ${literal(`${table.schema}.${table.table}`)}, 'count', ${GUARD_EVENTS.length} - count(*), 'list', '[]'::json) END FROM pg_catalog.pg_trigger t WHERE t.tgrelid = ${relation} AND t.tgname IN (${names}) AND t.tgenabled IN ('O', 'A')`;
  return [
    raiseWhen(SQLSTATE.guardMissing, `the write guard of ${table.schema}.${table.table} is not armed`, armed),
    raiseWhen(
      SQLSTATE.guardTripped,
      `${table.schema}.${table.table} was written to since the source was read`,
      writesQuery(guard, `j.relation = ${relation} AND j.xid <> pg_current_xact_id()`),
    ),
  ];
}
