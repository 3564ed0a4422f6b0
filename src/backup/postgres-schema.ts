import type { FigureRow, OldSystem } from '../core/assessment.js';
import { catalogOf } from '../sources/old-system.js';

/** A foreign key, and the table that it needs. */
interface ForeignKey {
  readonly sql: string;
  /** `schema.table`, quoted. */
  readonly references: string;
}

/** What makes a table of PostgreSQL again, a statement each, in the order in which they are run. */
export interface TableSchema {
  /** Schema, functions, enums, domains and sequences that it needs, each by its name; there may be one already. */
  readonly needs: readonly Need[];
  readonly create: string;
  /** When the rows are there: keys, checks, indexes, triggers, comments. */
  readonly after: readonly string[];
  /** When all tables are complete. */
  readonly foreignKeys: readonly ForeignKey[];
}

/** What is made where it is missing. `name`: quoted, with its schema, a function's with its arguments. */
interface Need {
  readonly kind: 'schema' | 'type' | 'sequence' | 'function';
  readonly name: string;
  readonly sql: string;
}

/** What PostgreSQL calls a table, and whether it is one. */
export interface TablePlace {
  readonly schema: string;
  readonly name: string;
  /** `r`: a table, `p`: a partitioned one, `v`: a view, … as in pg_class. */
  readonly relkind: string;
}

/** Where the table is that the user calls `table`. */
export async function placeOf(system: OldSystem, table: string): Promise<TablePlace> {
  const [found] = await catalogOf(
    system,
    table,
    (oid) =>
      `SELECT n.nspname AS schema, c.relname AS name, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ${oid}`,
  );
  return found as unknown as TablePlace;
}

/** The columns of a table that hold what was written to it: generated ones are left out. */
export async function storedColumns(system: OldSystem, table: string): Promise<string[]> {
  const rows = await catalogOf(
    system,
    table,
    (oid) =>
      `SELECT attname AS name FROM pg_attribute WHERE attrelid = ${oid} AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum`,
  );
  return lines(rows, 'name');
}

/** A sequence that a column of a table draws from, and the last number that it has given; null where it has given none. */
export interface SequenceState {
  /** `schema.name`, quoted. */
  readonly sequence: string;
  readonly last: string | null;
}

/** The sequences that the columns of a table draw from. */
export async function sequencesOf(system: OldSystem, table: string): Promise<SequenceState[]> {
  const rows = await catalogOf(
    system,
    table,
    (
      oid,
    ) => `SELECT format('%I.%I', n.nspname, s.relname) AS sequence, pg_sequence_last_value(s.oid)::text AS last
      FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace
      WHERE s.relkind = 'S' AND s.oid IN (${SEQUENCES(oid)}) ORDER BY 1`,
  );
  return rows as unknown as SequenceState[];
}

/** Owned by a column, or named by a default of one. */
const SEQUENCES = (oid: string) => `
  SELECT d.objid FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ${oid} AND d.deptype IN ('a', 'i')
  UNION
  SELECT d.refobjid FROM pg_attrdef f JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass
  WHERE f.adrelid = ${oid} AND d.refobjid <> ${oid}`;

/**
 * The definition of a table, out of the catalog: columns with types, collations, defaults, NOT NULL, identity and
 * generation, constraints, indexes, triggers, comments; and the schema, enums, domains, sequences and functions that it
 * needs. Not in it: owners, grants, policies, other types, partitions; `pg_dump --schema-only` has those.
 */
export async function tableSchema(system: OldSystem, table: string): Promise<TableSchema> {
  const ask = (sql: (oid: string) => string) => catalogOf(system, table, sql);
  const [head] = await ask(
    (oid) => `SELECT format('%I.%I', n.nspname, c.relname) AS name, format('%I', n.nspname) AS schema
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ${oid}`,
  );
  const { name, schema } = head as { name: string; schema: string };
  const columns = await ask(COLUMNS);
  const needs = [
    ...(schema === 'public'
      ? []
      : [{ kind: 'schema' as const, name: schema, sql: `CREATE SCHEMA ${schema};` }]),
    ...((await ask(TYPES)).map((row) => ({ kind: 'type', ...row })) as Need[]),
    ...((await ask(NEEDED_SEQUENCES)).map((row) => ({ kind: 'sequence', ...row })) as Need[]),
    ...((await ask(FUNCTIONS)).map((row) => ({ kind: 'function', ...row })) as Need[]),
  ];
  return {
    needs,
    create: `CREATE TABLE ${name} (\n${lines(columns, 'line')
      .map((line) => `  ${line}`)
      .join(',\n')}\n);`,
    after: lines(await ask(AFTER), 'line'),
    foreignKeys: (await ask(FOREIGN_KEYS)) as unknown as ForeignKey[],
  };
}

const lines = (rows: readonly FigureRow[], name: string) => rows.map((row) => row[name] as string);

const COLUMNS = (oid: string) => `
  SELECT format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod))
      || CASE WHEN a.attcollation <> t.typcollation THEN (SELECT format(' COLLATE %I.%I', n.nspname, l.collname) FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace WHERE l.oid = a.attcollation) ELSE '' END
      || CASE WHEN a.attgenerated <> '' THEN ' GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || ')' || CASE a.attgenerated WHEN 's' THEN ' STORED' ELSE '' END
              WHEN d.adbin IS NOT NULL THEN ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) ELSE '' END
      || CASE a.attidentity WHEN 'a' THEN ' GENERATED ALWAYS AS IDENTITY' WHEN 'd' THEN ' GENERATED BY DEFAULT AS IDENTITY' ELSE '' END
      || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END AS line
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = ${oid} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`;

/** Enums and domains, those that others are made of first. */
const TYPES = (oid: string) => `
  WITH RECURSIVE used AS (
    SELECT a.atttypid AS type, 0 AS depth FROM pg_attribute a WHERE a.attrelid = ${oid} AND a.attnum > 0 AND NOT a.attisdropped
    UNION
    SELECT next.type, u.depth + 1 FROM used u JOIN pg_type t ON t.oid = u.type
    CROSS JOIN LATERAL (VALUES (t.typbasetype), (t.typelem)) next (type) WHERE next.type <> 0 AND u.depth < 20)
  SELECT format('%I.%I', n.nspname, t.typname) AS name,
         CASE t.typtype WHEN 'e' THEN format('CREATE TYPE %I.%I AS ENUM (%s);', n.nspname, t.typname,
             (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid))
           ELSE format('CREATE DOMAIN %I.%I AS %s%s%s%s;', n.nspname, t.typname, format_type(t.typbasetype, t.typtypmod),
             coalesce(' DEFAULT ' || t.typdefault, ''), CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END,
             coalesce((SELECT string_agg(format(' CONSTRAINT %I %s', c.conname, pg_get_constraintdef(c.oid)), '' ORDER BY c.conname) FROM pg_constraint c WHERE c.contypid = t.oid AND c.contype = 'c'), '')) END AS sql
  FROM (SELECT type, max(depth) AS depth FROM used GROUP BY type) u JOIN pg_type t ON t.oid = u.type JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE t.typtype IN ('e', 'd') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  ORDER BY u.depth DESC, 1`;

/** Those of identity columns come with the column. */
const NEEDED_SEQUENCES = (oid: string) => `
  SELECT format('%I.%I', n.nspname, s.relname) AS name,
         format('CREATE SEQUENCE %I.%I AS %s INCREMENT %s MINVALUE %s MAXVALUE %s START %s CACHE %s%s;', n.nspname, s.relname,
           format_type(q.seqtypid, NULL), q.seqincrement, q.seqmin, q.seqmax, q.seqstart, q.seqcache, CASE WHEN q.seqcycle THEN ' CYCLE' ELSE '' END) AS sql
  FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace JOIN pg_sequence q ON q.seqrelid = s.oid
  WHERE s.oid IN (${SEQUENCES(oid)})
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.deptype = 'i')
  ORDER BY 1`;

/** What triggers, defaults, checks and indexes call, but for what an extension brings. */
const FUNCTIONS = (oid: string) => `
  SELECT p.oid::regprocedure::text AS name, pg_get_functiondef(p.oid) || ';' AS sql FROM pg_proc p
  WHERE p.prokind IN ('f', 'p') AND p.pronamespace <> 'pg_catalog'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
    AND EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid AND (
         (d.classid = 'pg_trigger'::regclass AND d.objid IN (SELECT t.oid FROM pg_trigger t WHERE t.tgrelid = ${oid} AND NOT t.tgisinternal))
      OR (d.classid = 'pg_attrdef'::regclass AND d.objid IN (SELECT f.oid FROM pg_attrdef f WHERE f.adrelid = ${oid}))
      OR (d.classid = 'pg_constraint'::regclass AND d.objid IN (SELECT c.oid FROM pg_constraint c WHERE c.conrelid = ${oid}))
      OR (d.classid = 'pg_class'::regclass AND d.objid IN (SELECT i.indexrelid FROM pg_index i WHERE i.indrelid = ${oid}))))
  ORDER BY 1`;

const AFTER = (oid: string) => `
  SELECT line FROM (
    SELECT CASE c.contype WHEN 'p' THEN 0 WHEN 'u' THEN 1 ELSE 2 END AS kind, c.conname::text AS name,
           format('ALTER TABLE %s ADD CONSTRAINT %I %s;', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid)) AS line
    FROM pg_constraint c WHERE c.conrelid = ${oid} AND c.contype IN ('p', 'u', 'c', 'x')
    UNION ALL
    SELECT 3, i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) || ';'
    FROM pg_index i WHERE i.indrelid = ${oid}
      AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.conrelid = i.indrelid)
    UNION ALL
    SELECT 4, format('%I.%I', n.nspname, s.relname), format('ALTER SEQUENCE %I.%I OWNED BY %s.%I;', n.nspname, s.relname, d.refobjid::regclass, a.attname)
    FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace
    JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ${oid} AND d.deptype = 'a'
    UNION ALL
    SELECT 5, t.tgname::text, pg_get_triggerdef(t.oid) || ';' FROM pg_trigger t WHERE t.tgrelid = ${oid} AND NOT t.tgisinternal
    UNION ALL
    SELECT 6, lpad(d.objsubid::text, 5, '0'), CASE WHEN d.objsubid = 0 THEN format('COMMENT ON TABLE %s IS %L;', d.objoid::regclass, d.description)
      ELSE format('COMMENT ON COLUMN %s.%I IS %L;', d.objoid::regclass, (SELECT attname FROM pg_attribute WHERE attrelid = d.objoid AND attnum = d.objsubid), d.description) END
    FROM pg_description d WHERE d.classoid = 'pg_class'::regclass AND d.objoid = ${oid}
  ) facts ORDER BY kind, name`;

const FOREIGN_KEYS = (oid: string) => `
  SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s;', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid)) AS sql,
         format('%I.%I', n.nspname, r.relname) AS references
  FROM pg_constraint c JOIN pg_class r ON r.oid = c.confrelid JOIN pg_namespace n ON n.oid = r.relnamespace
  WHERE c.conrelid = ${oid} AND c.contype = 'f' ORDER BY c.conname`;

/** The schemas of some tables as a file for people, which psql makes them by. */
export function schemaText(schemas: readonly TableSchema[]): string {
  const needs = schemas.flatMap((each) => each.needs);
  const once = needs.filter(({ name }, at) => needs.findIndex((each) => each.name === name) === at);
  return [
    '-- The tables below as the catalog has them, with the enums, domains, sequences and functions that they need.',
    '-- Not in it: owners, grants, policies, other types, partitions (pg_dump --schema-only has them).',
    'SET check_function_bodies = off;',
    ...once.map(({ sql }) => sql),
    ...schemas.map(({ create }) => `\n${create}`),
    '',
    ...schemas.flatMap(({ after }) => after),
    ...schemas.flatMap(({ foreignKeys }) => foreignKeys.map(({ sql }) => sql)),
    '',
  ].join('\n');
}
