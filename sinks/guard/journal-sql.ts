import { ancestorsOf, membersOf } from '../../src/db/catalog/members.js';
import { ident, literal, qualified } from '../../src/db/quote.js';
import { offence, raiseWhen, SQLSTATE } from '../rows/refusals.js';
import {
  GUARD_EVENTS,
  GUARD_ROW,
  type Guard,
  type GuardedTable,
  guardTriggers,
  journalFunction,
  journalTable,
  memberTable,
  nameLiteral,
  triggerName,
} from './names.js';

/**
 * Creates the journal, which gets a row for each statement that touched rows (or, where rows are watched one by one,
 * for each transaction's inserts, updates and deletes), the list of what is watched, and the trigger functions in the
 * guard's schema. SECURITY DEFINER with a fixed search_path: writers need no right on the journal or
 * its schema, and cannot slip in functions of their own. Each row carries its transaction's id, so that the pipeline's own publish can be told from others.
 */
export function journalStatements(guard: Guard): string[] {
  const journal = journalTable(guard);
  const columns = 'relation, schema_name, table_name, operation, touched, username, application, pid, xid';
  const note = (touched: string) =>
    `INSERT INTO ${journal} (${columns}) VALUES (TG_RELID, TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP, ${touched}, session_user, pg_catalog.current_setting('application_name'), pg_catalog.pg_backend_pid(), pg_catalog.pg_current_xact_id())`;
  const make = (name: string, body: string, path = ' SET search_path = pg_catalog, pg_temp') =>
    `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER${path} AS ${literal(body)}`;
  // Called for every row, so that all but a transaction's first call must cost next to nothing: a setting of the
  // transaction says that it is noted (a savepoint that is rolled back takes both away), and names are qualified instead
  // of a search_path being set, which takes longer than all the rest. Who sets it to hide a write loses only that write.
  const noted = `pg_catalog.concat(${literal(`sluice.guard_${guard.batch.replace(/\W/g, '_')}_`)}, TG_RELID, '_', TG_OP)`;
  const once = `BEGIN IF pg_catalog.current_setting(${noted}, true) OPERATOR(pg_catalog.=) 'noted' THEN RETURN NULL; END IF; ${note('NULL')}; PERFORM pg_catalog.set_config(${noted}, 'noted', true); RETURN NULL; END`;
  return [
    `CREATE TABLE ${journal} (relation oid NOT NULL, schema_name text NOT NULL, table_name text NOT NULL, operation text NOT NULL, touched bigint, username text NOT NULL, application text NOT NULL, pid integer NOT NULL, xid xid8 NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp())`,
    `CREATE TABLE ${memberTable(guard)} (target oid NOT NULL, member oid NOT NULL, name text NOT NULL, triggers text[] NOT NULL, PRIMARY KEY (target, member))`,
    make(
      journalFunction(guard, 'rows'),
      `DECLARE touched bigint; BEGIN SELECT count(*) INTO touched FROM sluice_rows; IF touched > 0 THEN ${note('touched')}; END IF; RETURN NULL; END`,
    ),
    make(journalFunction(guard, 'row'), once, ''),
    make(journalFunction(guard, 'truncate'), `BEGIN ${note('NULL')}; RETURN NULL; END`),
  ];
}

/**
 * Notes the members of the table that are to be watched: itself and its partitions, or the tables that inherit from it.
 * A statement fires the statement triggers of the table that it names and of no other, so each member has its own.
 * Where rows can be reached by the name of a table that is none of them (of what the guarded table is a partition of,
 * say, most of whose rows are none of its), triggers of rows tell which.
 */
export function memberStatement(guard: Guard, table: GuardedTable): string {
  const relation = `${nameLiteral(table)}::regclass`;
  const { byStatement, byRow, truncation } = guardTriggers(guard.batch);
  const names = (list: readonly string[]) => `ARRAY[${list.map((name) => literal(name)).join(', ')}]`;
  const elsewhere = `EXISTS (SELECT FROM (${ancestorsOf('c.oid')}) a WHERE a.oid NOT IN (SELECT oid FROM member))`;
  return `INSERT INTO ${memberTable(guard)} (target, member, name, triggers) WITH member AS (${membersOf(relation)}) SELECT ${relation}, c.oid, n.nspname || '.' || c.relname, CASE WHEN NOT ${elsewhere} THEN ${names(byStatement)} WHEN c.relkind = 'p' THEN ${names(truncation)} ELSE ${names(byRow)} END FROM member m JOIN pg_catalog.pg_class c ON c.oid = m.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace`;
}

/** Every member of any guarded table, with the names of all triggers that watch it. */
export function membersQuery(guard: Guard): string {
  return `SELECT n.nspname AS schema, c.relname AS "table", pg_catalog.json_agg(DISTINCT x.name) AS triggers FROM ${memberTable(guard)} m JOIN pg_catalog.pg_class c ON c.oid = m.member JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace CROSS JOIN pg_catalog.unnest(m.triggers) x(name) GROUP BY c.oid, n.nspname, c.relname ORDER BY c.oid`;
}

/**
 * Those of the guard's triggers on one table that `triggers` names. AFTER each statement, with a transition table, so
 * that a statement that touched no row is told from one that did; or after each row. ALWAYS, since a session with
 * session_replication_role = replica would pass unseen otherwise; that needs the owner, CREATE TRIGGER alone the
 * TRIGGER privilege.
 */
export function triggerStatements(guard: Guard, table: GuardedTable, triggers: readonly string[]): string[] {
  const on = qualified(table.schema, table.table);
  const make = (suffix: string, what: string) => {
    const name = triggerName(guard.batch, suffix);
    if (!triggers.includes(name)) return [];
    return [
      `CREATE TRIGGER ${ident(name)} AFTER ${what}()`,
      `ALTER TABLE ONLY ${on} ENABLE ALWAYS TRIGGER ${ident(name)}`,
    ];
  };
  const byRow = `FOR EACH ROW EXECUTE FUNCTION ${journalFunction(guard, 'row')}`;
  return [
    ...GUARD_EVENTS.flatMap(({ suffix, event, rows }) => {
      const referencing = rows === null ? '' : ` REFERENCING ${rows} TABLE AS sluice_rows`;
      const run = journalFunction(guard, rows === null ? 'truncate' : 'rows');
      return make(suffix, `${event} ON ${on}${referencing} FOR EACH STATEMENT EXECUTE FUNCTION ${run}`);
    }),
    ...make(GUARD_ROW, `INSERT OR UPDATE OR DELETE ON ${on} ${byRow}`),
  ];
}

/** Writes of others, per table: a json value with an entry a table, and lines that say by whom. */
export function writesQuery(guard: Guard, only: string): string {
  const line = `w.schema_name || '.' || w.table_name || ': ' || w.n || ' ' || w.operation || ' statement' || CASE WHEN w.n > 1 THEN 's' ELSE '' END || coalesce(' (' || w.touched || CASE w.touched WHEN 1 THEN ' row)' ELSE ' rows)' END, '') || ' by ' || w.username || coalesce(' as ' || nullif(w.application, ''), '') || ', last at ' || w.last`;
  return `SELECT CASE WHEN count(*) > 0 THEN json_build_object('table', min(w.schema_name || '.' || w.table_name), 'count', sum(w.n), 'list', json_agg(${line} ORDER BY w.n DESC) FILTER (WHERE w.i <= 20)) END FROM (SELECT j.schema_name, j.table_name, j.operation, j.username, j.application, count(*) AS n, sum(j.touched) AS touched, max(j.at) AS last, row_number() OVER (ORDER BY count(*) DESC) AS i FROM ${journalTable(guard)} j WHERE ${only} GROUP BY 1, 2, 3, 4, 5) w`;
}

/**
 * Statements for the window that raise where others wrote to `table` or a member of it since the guard was armed, where
 * a trigger of the guard is gone or off, or where the table has other members than then. Only meaningful once the
 * table is locked against writers with its members: until then a transaction that has written may still be about to
 * commit. What the window's own transaction wrote does not count. See rowRefusal.
 */
export function guardChecks(guard: Guard, table: GuardedTable): string[] {
  const relation = `${nameLiteral(table)}::regclass`;
  const name = `${table.schema}.${table.table}`;
  const known = `SELECT k.* FROM ${memberTable(guard)} k WHERE k.target = ${relation}`;
  const armed = `SELECT count(*) FROM pg_catalog.pg_trigger t WHERE t.tgrelid = k.member AND t.tgname = ANY (k.triggers) AND t.tgenabled IN ('O', 'A')`;
  const wrong = `WITH known AS (${known}), now AS (${membersOf(relation)}) SELECT k.name || CASE WHEN n.oid IS NULL THEN ' was detached or dropped' ELSE ': a trigger of the guard is gone or off' END AS line FROM known k LEFT JOIN now n ON n.oid = k.member WHERE n.oid IS NULL OR (${armed}) < pg_catalog.cardinality(k.triggers) UNION ALL SELECT n.oid::pg_catalog.regclass || ' was attached, and is not watched' FROM now n WHERE n.oid NOT IN (SELECT k.member FROM known k)`;
  return [
    raiseWhen(SQLSTATE.guardMissing, `the write guard of ${name} is not armed`, offence(name, wrong)),
    raiseWhen(
      SQLSTATE.guardTripped,
      `${name} was written to since the source was read`,
      writesQuery(
        guard,
        `j.relation IN (SELECT k.member FROM ${memberTable(guard)} k WHERE k.target = ${relation}) AND j.xid <> pg_current_xact_id()`,
      ),
    ),
  ];
}
