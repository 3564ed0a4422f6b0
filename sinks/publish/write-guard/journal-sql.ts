import { ancestorsOf, membersOf } from '../../../src/db/catalog/members.js';
import { ident, literal, qualified } from '../../../src/db/quote.js';
import { offence, raiseWhen, SQLSTATE } from '../rows/refusals.js';
import {
  FUNCTIONS,
  GUARD_EVENTS,
  GUARD_ROW,
  GUARD_TABLES,
  type Guard,
  type GuardedTable,
  guardTables,
  guardTriggers,
  journalFunction,
  journalTable,
  KEEP_TRIGGER,
  memberTable,
  nameLiteral,
  stateTable,
  triggerName,
} from './names.js';

/**
 * Creates the journal, which gets a row for each statement that touched rows (or, where rows are watched one by one,
 * for each transaction's inserts, updates and deletes), the list of what is watched, and the trigger functions in the
 * guard's schema; none of whose rows can be changed or deleted by a statement. Notes need no numbers then: transactions
 * that are rolled back would leave gaps in them, and a gap would say nothing. SECURITY DEFINER with a fixed search_path: writers need no right on the journal or
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
    `CREATE TABLE ${memberTable(guard)} (target oid NOT NULL, member oid NOT NULL, name text NOT NULL, triggers text[] NOT NULL, columns text[] NOT NULL, PRIMARY KEY (target, member))`,
    `CREATE TABLE ${stateTable(guard)} (member oid, object oid NOT NULL, version xid NOT NULL)`,
    make(
      journalFunction(guard, 'rows'),
      `DECLARE touched bigint; BEGIN SELECT count(*) INTO touched FROM sluice_rows; IF touched > 0 THEN ${note('touched')}; END IF; RETURN NULL; END`,
    ),
    make(journalFunction(guard, 'row'), once, ''),
    make(journalFunction(guard, 'truncate'), `BEGIN ${note('NULL')}; RETURN NULL; END`),
    make(
      journalFunction(guard, 'keep'),
      `BEGIN RAISE EXCEPTION 'what the write guard of a load has noted stays until the load is over'; END`,
    ),
    ...guardTables(guard).flatMap((table) => [
      `CREATE TRIGGER ${KEEP_TRIGGER} BEFORE UPDATE OR DELETE OR TRUNCATE ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION ${journalFunction(guard, 'keep')}()`,
      `ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${KEEP_TRIGGER}`,
    ]),
  ];
}

/** Notes the guard's own tables, triggers and functions as they are: once nothing on them is anybody else's. */
export const sealStatement = (guard: Guard): string => `INSERT INTO ${stateTable(guard)} ${ownRows(guard)}`;

/** The catalog rows of the guard's own tables, their triggers and its functions: how many, and as guard_state has them. */
const OWN_ROWS = 2 * GUARD_TABLES + FUNCTIONS.length;
function ownRows(guard: Guard): string {
  const tables = guardTables(guard).map((table) => `${literal(table)}::pg_catalog.regclass`);
  const functions = FUNCTIONS.map(
    (kind) => `${literal(`${journalFunction(guard, kind)}()`)}::pg_catalog.regprocedure`,
  );
  return [
    `SELECT NULL::pg_catalog.oid, c.oid, c.xmin FROM pg_catalog.pg_class c WHERE c.oid IN (${tables.join(', ')})`,
    `SELECT NULL, t.oid, t.xmin FROM pg_catalog.pg_trigger t WHERE t.tgrelid IN (${tables.join(', ')})`,
    `SELECT NULL, p.oid, p.xmin FROM pg_catalog.pg_proc p WHERE p.oid IN (${functions.join(', ')})`,
  ].join(' UNION ALL ');
}

/**
 * SQL of the columns of the table `oid` (an SQL expression), each with the transaction that wrote its catalog row last:
 * a change of type writes all rows anew without firing a trigger, and becoming a partition or heir, if only for a
 * moment, lets the rows be reached by another name. Both touch these rows.
 */
const columnsOf = (oid: string) =>
  `ARRAY(SELECT a.attnum || ' ' || a.xmin FROM pg_catalog.pg_attribute a WHERE a.attrelid = ${oid} AND a.attnum > 0 ORDER BY a.attnum)`;

/**
 * Notes the members of the table that are to be watched: itself and its partitions, or the tables that inherit from it.
 * A statement fires the statement triggers of the table that it names and of no other, so each member has its own.
 * Where rows can be reached by the name of a table that is none of them (of what the guarded table is a partition of,
 * say, most of whose rows are none of its), triggers of rows tell which; likewise where a subscription writes them, whose
 * worker fires no statement trigger but that of a TRUNCATE.
 */
export function memberStatement(guard: Guard, table: GuardedTable): string {
  const relation = `${nameLiteral(table)}::regclass`;
  const { byStatement, byRow, truncation } = guardTriggers(guard.batch);
  const names = (list: readonly string[]) => `ARRAY[${list.map((name) => literal(name)).join(', ')}]`;
  const elsewhere = `EXISTS (SELECT FROM (${ancestorsOf('c.oid')}) a WHERE a.oid NOT IN (SELECT oid FROM member))`;
  return `INSERT INTO ${memberTable(guard)} (target, member, name, triggers, columns) WITH member AS (${membersOf(relation)}) SELECT ${relation}, c.oid, n.nspname || '.' || c.relname, CASE WHEN NOT (${elsewhere} OR ${subscribed('c.oid')}) THEN ${names(byStatement)} WHEN c.relkind = 'p' THEN ${names(truncation)} ELSE ${names(byRow)} END, ${columnsOf('c.oid')} FROM member m JOIN pg_catalog.pg_class c ON c.oid = m.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace`;
}

/** SQL of whether a subscription writes to the table `oid` (an SQL expression), by its own name or an ancestor's. */
const subscribed = (oid: string) =>
  `EXISTS (SELECT FROM pg_catalog.pg_subscription_rel r WHERE r.srrelid = ${oid} OR r.srrelid IN (${ancestorsOf(oid)}))`;

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
    // Whoever switches a trigger off and on again leaves another version of its row, whatever state he ends with.
    `INSERT INTO ${stateTable(guard)} SELECT t.tgrelid, t.oid, t.xmin FROM pg_catalog.pg_trigger t WHERE t.tgrelid = ${literal(on)}::pg_catalog.regclass AND t.tgname = ANY (ARRAY[${triggers.map((name) => literal(name)).join(', ')}])`,
  ];
}

/** Writes of others, per table: a json value with an entry a table, and lines that say by whom. */
function writesQuery(guard: Guard, only: string): string {
  const line = `w.schema_name || '.' || w.table_name || ': ' || w.n || ' ' || w.operation || ' statement' || CASE WHEN w.n > 1 THEN 's' ELSE '' END || coalesce(' (' || w.touched || CASE w.touched WHEN 1 THEN ' row)' ELSE ' rows)' END, '') || ' by ' || w.username || coalesce(' as ' || nullif(w.application, ''), '') || ', last at ' || w.last`;
  return `SELECT CASE WHEN count(*) > 0 THEN json_build_object('table', min(w.schema_name || '.' || w.table_name), 'count', sum(w.n), 'list', json_agg(${line} ORDER BY w.n DESC) FILTER (WHERE w.i <= 20)) END FROM (SELECT j.schema_name, j.table_name, j.operation, j.username, j.application, count(*) AS n, sum(j.touched) AS touched, max(j.at) AS last, row_number() OVER (ORDER BY count(*) DESC) AS i FROM ${journalTable(guard)} j WHERE ${only} GROUP BY 1, 2, 3, 4, 5) w`;
}

/**
 * Statements for the window that raise where others wrote to `table` or a member of it since the guard was armed, where
 * a trigger or function of the guard is not the very one that arming has left, or where the table has other members, or
 * other columns, than then. Only meaningful once the table is locked against writers with its members: until then a
 * transaction that has written may still be about to commit. What the window's own transaction wrote does not count. See
 * rowRefusal.
 */
export function guardChecks(guard: Guard, table: GuardedTable): string[] {
  const relation = `${nameLiteral(table)}::pg_catalog.regclass`;
  const name = `${table.schema}.${table.table}`;
  const known = `SELECT k.* FROM ${memberTable(guard)} k WHERE k.target = ${relation}`;
  const state = stateTable(guard);
  const { byStatement } = guardTriggers(guard.batch);
  const version = (catalog: string) =>
    `EXISTS (SELECT FROM pg_catalog.${catalog} v WHERE v.oid = s.object AND v.xmin = s.version)`;
  const armed = `SELECT count(*) FROM ${state} s JOIN pg_catalog.pg_trigger t ON t.oid = s.object AND t.xmin = s.version WHERE t.tgrelid = k.member AND t.tgname = ANY (k.triggers) AND t.tgenabled = 'A'`;
  const own = ['pg_class', 'pg_trigger', 'pg_proc'].map(version).join(' OR ');
  const wrong = [
    `WITH known AS (${known}), now AS (${membersOf(relation)}) SELECT k.name || CASE WHEN n.oid IS NULL THEN ' was detached or dropped' WHEN (${armed}) < pg_catalog.cardinality(k.triggers) THEN ': a trigger of the guard is gone, or was switched off meanwhile' ELSE ': its columns were altered, or it was a partition or heir meanwhile' END AS line FROM known k LEFT JOIN now n ON n.oid = k.member WHERE n.oid IS NULL OR (${armed}) < pg_catalog.cardinality(k.triggers) OR NOT k.columns OPERATOR(pg_catalog.<@) ${columnsOf('k.member')}`,
    `SELECT n.oid::pg_catalog.regclass || CASE WHEN n.oid = ${relation} THEN ' is another table than the one that is watched' ELSE ' was attached, and is not watched' END FROM now n WHERE n.oid NOT IN (SELECT k.member FROM known k)`,
    `SELECT k.name || ' receives changes from a subscription since, and is not watched for them' FROM known k WHERE ${literal(byStatement[0] as string)} = ANY (k.triggers) AND ${subscribed('k.member')}`,
    `SELECT 'what the guard keeps its notes in, or what writes them, was altered' WHERE (SELECT count(*) FROM ${state} s WHERE s.member IS NULL AND (${own})) < ${OWN_ROWS}`,
  ].join(' UNION ALL ');
  const absent = `SELECT 'it was armed by an earlier version of Sluice, or was dropped' AS line WHERE pg_catalog.to_regclass(${literal(state)}) IS NULL`;
  return [
    raiseWhen(SQLSTATE.guardMissing, `the write guard of ${name} is not armed`, offence(name, absent)),
    raiseWhen(SQLSTATE.guardMissing, `the write guard of ${name} is not armed`, offence(name, wrong)),
    raiseWhen(
      SQLSTATE.guardTripped,
      `${name} was written to since the source was read`,
      writesQuery(
        guard,
        `j.relation IN (SELECT k.member FROM ${memberTable(guard)} k WHERE k.target = ${relation}) AND j.xid <> pg_catalog.pg_current_xact_id()`,
      ),
    ),
  ];
}
