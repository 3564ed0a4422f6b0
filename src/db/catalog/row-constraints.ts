import type { ClientBase } from 'pg';
import { calledBy, columnNames, DEFAULT_TREE, keyNumbers, MAY_NUMBER } from './column-sql.js';
import { membersOf } from './members.js';
import { askCatalog, withCatalog } from './session.js';

/** A condition that every row must meet: a CHECK, or the bound of a partition. */
export interface RowCheck {
  /** Null of the bounds of partitions, which have none. */
  readonly name: string | null;
  /** A boolean expression over the table's columns, unqualified: `(a > 0)`. */
  readonly expression: string;
  readonly columns: readonly string[];
}

/** One part of a unique index or exclusion constraint. */
export interface IndexPart {
  /** A column or an expression over columns, unqualified. */
  readonly expression: string;
  /** `"schema"."collation"`; null where the type has none. */
  readonly collation: string | null;
  /** Two rows conflict where it holds for every part: `OPERATOR(pg_catalog.=)`. */
  readonly operator: string;
}

type Asked = 'by row' | 'by statement' | 'at the end';

/** A unique index, whatever made it: a primary key, a constraint, CREATE UNIQUE INDEX. */
export interface RowUnique {
  readonly name: string;
  readonly parts: readonly IndexPart[];
  /** Only rows that meet it are in the index; null: all. */
  readonly predicate: string | null;
  /** When it is asked: row by row, at the end of each statement (deferrable), or of the transaction. */
  readonly asked: Asked;
  readonly nullsDistinct: boolean;
  /** Those in the key and in the predicate. */
  readonly columns: readonly string[];
}

export interface RowExclusion {
  readonly name: string;
  readonly parts: readonly IndexPart[];
  readonly predicate: string | null;
  readonly asked: Asked;
  readonly columns: readonly string[];
  /** As ALTER TABLE … ADD takes it: `EXCLUDE USING gist (room WITH =, during WITH &&)`. */
  readonly definition: string;
}

/** A foreign key of the table. */
export interface RowForeignKey {
  readonly name: string;
  readonly columns: readonly string[];
  readonly parent: { readonly oid: number; readonly schema: string; readonly table: string };
  readonly parentColumns: readonly string[];
  /** Equality per pair of columns, the parent's value left. */
  readonly operators: readonly string[];
  /** MATCH FULL: either all columns are NULL or none. */
  readonly full: boolean;
}

/** What a column that is not loaded gets. */
export interface RowFill {
  readonly column: string;
  readonly generated: boolean;
  /** Over other columns where it is generated. */
  readonly expression: string;
  readonly columns: readonly string[];
  /** Whether it may be another for every row, or does something: it cannot be asked beforehand. */
  readonly volatile: boolean;
  /** Whether it numbers rows, or may: a sequence, or a function of the user's that is volatile. */
  readonly numbers: boolean;
}

/** Everything in the catalog that a row may break once it comes to the table. */
export interface RowConstraints {
  readonly checks: readonly RowCheck[];
  readonly uniques: readonly RowUnique[];
  readonly exclusions: readonly RowExclusion[];
  readonly foreignKeys: readonly RowForeignKey[];
  readonly fills: readonly RowFill[];
  /** User triggers that fire before a row is inserted, or updated, and may change it. */
  readonly changedBefore: { readonly insert: boolean; readonly update: boolean };
  /** User triggers that fire before the foreign keys are checked, and may write the very row that is looked for. */
  readonly firesBeforeKeys: boolean;
  /** User triggers that fire for each inserted row. */
  readonly rowInsertTriggers: boolean;
}

/**
 * The constraints of the table with this OID, those that only its partitions have left out (their triggers are not); names that the server deparses
 * are qualified. One statement, in a transaction of its own.
 */
export async function readRowConstraints(client: ClientBase, oid: number): Promise<RowConstraints> {
  const { rows } = await withCatalog(client, () =>
    askCatalog<{ constraints: RowConstraints }>(client, CONSTRAINTS, [oid]),
  );
  return (rows[0] as { constraints: RowConstraints }).constraints;
}

const PARTS = (operator: string) => `
  (SELECT json_agg(json_build_object(
      'expression', pg_catalog.pg_get_indexdef(i.indexrelid, k.at::int, false),
      'collation', (SELECT format('%I.%I', cn.nspname, co.collname) FROM pg_catalog.pg_collation co
                    JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = k.coll),
      'operator', ${operator}) ORDER BY k.at)
   FROM unnest(i.indclass::oid[], i.indcollation::oid[]) WITH ORDINALITY k(class, coll, at)
   WHERE k.at <= i.indnkeyatts)`;

// The equality of the index, which need not be the type's own: strategy 3 of its btree operator class.
const EQUALITY = `
  (SELECT format('OPERATOR(%I.%s)', opn.nspname, op.oprname)
   FROM pg_catalog.pg_opclass oc JOIN pg_catalog.pg_amop am
     ON am.amopfamily = oc.opcfamily AND am.amopstrategy = 3 AND am.amoplefttype = oc.opcintype AND am.amoprighttype = oc.opcintype
   JOIN pg_catalog.pg_operator op ON op.oid = am.amopopr JOIN pg_catalog.pg_namespace opn ON opn.oid = op.oprnamespace
   WHERE oc.oid = k.class)`;

const EXCLUDES = `
  (SELECT format('OPERATOR(%I.%s)', opn.nspname, op.oprname)
   FROM pg_catalog.pg_operator op JOIN pg_catalog.pg_namespace opn ON opn.oid = op.oprnamespace
   WHERE op.oid = c.conexclop[k.at])`;

// Only constraints can be deferrable.
const ASKED = `
  CASE WHEN i.indimmediate THEN 'by row'
    WHEN EXISTS (SELECT FROM pg_catalog.pg_constraint ac WHERE ac.conindid = i.indexrelid AND ac.conrelid = i.indrelid AND ac.condeferred) THEN 'at the end'
    ELSE 'by statement' END`;

// Columns of the key, and those that expressions and the predicate depend on.
const INDEX_COLUMNS = `
  (SELECT coalesce(json_agg(a.attname ORDER BY a.attnum), '[]') FROM pg_catalog.pg_attribute a
   WHERE a.attrelid = i.indrelid AND (a.attnum = ANY (${keyNumbers('i')})
     OR EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                AND d.objid = i.indexrelid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum)))`;

// The columns by which the tables of `relations` are partitioned; where that is by an expression, all.
const KEY_COLUMNS = (relations: string) => `
  (SELECT coalesce(json_agg(a.attname ORDER BY a.attnum), '[]') FROM pg_catalog.pg_attribute a
   WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND EXISTS (
     SELECT FROM pg_catalog.pg_partitioned_table pt JOIN pg_catalog.pg_attribute pa ON pa.attrelid = pt.partrelid
     WHERE pt.partrelid IN ${relations} AND pa.attname = a.attname
       AND (pa.attnum = ANY (pt.partattrs::int2[]) OR 0 = ANY (pt.partattrs::int2[]))))`;

// A row of a partitioned table must suit one of the tables at the ends of its tree.
const BOUND = `
  WITH RECURSIVE leaf AS (
    SELECT i.inhrelid AS oid FROM pg_catalog.pg_inherits i WHERE i.inhparent = t.oid
    UNION ALL
    SELECT i.inhrelid FROM leaf JOIN pg_catalog.pg_inherits i ON i.inhparent = leaf.oid
  )
  SELECT string_agg('(' || coalesce(pg_catalog.pg_get_partition_constraintdef(leaf.oid), 'true') || ')', ' OR ')
  FROM leaf JOIN pg_catalog.pg_class p ON p.oid = leaf.oid WHERE p.relkind <> 'p'`;

// Columns added by older servers' names would not be read here: to_json gives what there is.
const CONSTRAINTS = `
WITH member AS (${membersOf('$1::oid')})
SELECT json_build_object(
  'checks', (SELECT coalesce(json_agg(f.fact ORDER BY f.name), '[]') FROM (
      SELECT c.conname AS name, json_build_object('name', c.conname,
        'expression', pg_catalog.pg_get_expr(c.conbin, c.conrelid),
        'columns', ${columnNames('c.conkey', 'c.conrelid')}) AS fact
      FROM pg_catalog.pg_constraint c WHERE c.conrelid = t.oid AND c.contype = 'c'
        AND coalesce((to_jsonb(c)->>'conenforced')::boolean, true)
      UNION ALL
      SELECT t.relname, json_build_object('name', NULL,
        'expression', pg_catalog.pg_get_partition_constraintdef(t.oid), 'columns',
        ${KEY_COLUMNS('(SELECT relid FROM pg_catalog.pg_partition_ancestors(t.oid) WHERE relid <> t.oid)')})
      WHERE t.relispartition AND pg_catalog.pg_get_partition_constraintdef(t.oid) IS NOT NULL
      UNION ALL
      SELECT t.relname, json_build_object('name', NULL, 'expression', coalesce((${BOUND}), 'false'), 'columns',
        ${KEY_COLUMNS('(SELECT relid FROM pg_catalog.pg_partition_ancestors(t.oid) UNION SELECT relid FROM pg_catalog.pg_partition_tree(t.oid))')})
      WHERE t.relkind = 'p') f),
  'uniques', (SELECT coalesce(json_agg(json_build_object('name', x.relname, 'parts', ${PARTS(EQUALITY)},
        'predicate', pg_catalog.pg_get_expr(i.indpred, i.indrelid), 'asked', ${ASKED},
        'nullsDistinct', NOT coalesce((to_jsonb(i)->>'indnullsnotdistinct')::boolean, false),
        'columns', ${INDEX_COLUMNS}) ORDER BY i.indisprimary DESC, x.relname), '[]')
      FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
      WHERE i.indrelid = t.oid AND i.indisunique AND NOT i.indisexclusion AND i.indisready),
  'exclusions', (SELECT coalesce(json_agg(json_build_object('name', c.conname, 'parts', ${PARTS(EXCLUDES)},
        'predicate', pg_catalog.pg_get_expr(i.indpred, i.indrelid), 'asked', ${ASKED}, 'columns', ${INDEX_COLUMNS},
        'definition', pg_catalog.pg_get_constraintdef(c.oid)) ORDER BY c.conname), '[]')
      FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_index i ON i.indexrelid = c.conindid
      WHERE c.conrelid = t.oid AND c.conexclop IS NOT NULL),
  'foreignKeys', (SELECT coalesce(json_agg(json_build_object('name', c.conname,
        'columns', ${columnNames('c.conkey', 'c.conrelid')}, 'parentColumns', ${columnNames('c.confkey', 'c.confrelid')},
        'parent', json_build_object('oid', p.oid::bigint, 'schema', n.nspname, 'table', p.relname),
        'operators', (SELECT json_agg(format('OPERATOR(%I.%s)', opn.nspname, op.oprname) ORDER BY u.at)
                      FROM unnest(c.conpfeqop) WITH ORDINALITY u(op, at) JOIN pg_catalog.pg_operator op ON op.oid = u.op
                      JOIN pg_catalog.pg_namespace opn ON opn.oid = op.oprnamespace),
        'full', c.confmatchtype = 'f') ORDER BY c.conname), '[]')
      FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class p ON p.oid = c.confrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
      WHERE c.conrelid = t.oid AND c.contype = 'f' AND coalesce((to_jsonb(c)->>'conenforced')::boolean, true)
        AND NOT coalesce((to_jsonb(c)->>'conperiod')::boolean, false)
        -- A key that points at a partitioned table has one of its own for each partition; the first says it all.
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint up WHERE up.oid = c.conparentid AND up.conrelid = c.conrelid)),
  'fills', (SELECT coalesce(json_agg(json_build_object('column', a.attname, 'generated', a.attgenerated <> '',
        'expression', coalesce(pg_catalog.pg_get_expr(${DEFAULT_TREE}, coalesce(d.adrelid, 0)), ''),
        'columns', (SELECT coalesce(json_agg(o.attname ORDER BY o.attnum), '[]') FROM pg_catalog.pg_attribute o
                    WHERE o.attrelid = t.oid AND o.attnum > 0 AND a.attgenerated <> '' AND o.attnum <> a.attnum
                      AND EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                                  AND e.refobjid = t.oid AND e.refobjsubid = o.attnum
                                  AND (e.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND e.objid = d.oid
                                    OR e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = t.oid AND e.objsubid = a.attnum))),
        'volatile', a.attidentity <> '' OR coalesce(v.volatile, false),
        'numbers', a.attidentity <> '' OR coalesce(v.numbers, false)) ORDER BY a.attnum), '[]')
      FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
      LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      LEFT JOIN LATERAL (SELECT bool_or(f.provolatile = 'v') AS volatile,
          bool_or(${MAY_NUMBER}) AS numbers
        FROM ${calledBy(DEFAULT_TREE)}) v ON true
      WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
        AND (a.attidentity <> '' OR ${DEFAULT_TREE} IS NOT NULL)),
  'changedBefore', (SELECT json_build_object(
        'insert', coalesce(bool_or(g.tgtype & 2 = 2 AND g.tgtype & 4 = 4), false),
        'update', coalesce(bool_or(g.tgtype & 2 = 2 AND g.tgtype & 16 = 16), false)) FROM pg_catalog.pg_trigger g
        WHERE g.tgrelid IN (SELECT oid FROM member) AND NOT g.tgisinternal AND g.tgtype & 1 = 1 AND g.tgenabled IN ('O', 'A')),
  -- Triggers of one kind fire in the order of their names, and foreign keys are checked by triggers.
  'firesBeforeKeys', EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid IN (SELECT oid FROM member) AND NOT tgisinternal
        AND tgenabled IN ('O', 'A') AND tgname NOT LIKE 'sluice\\_guard\\_%'
        AND (tgtype & 2 = 2 OR tgname COLLATE "C" < 'RI_ConstraintTrigger_d')),
  'rowInsertTriggers', EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid IN (SELECT oid FROM member) AND NOT tgisinternal
        AND tgtype & 5 = 5 AND tgenabled IN ('O', 'A') AND tgname NOT LIKE 'sluice\\_guard\\_%')
) AS constraints
FROM pg_catalog.pg_class t WHERE t.oid = $1::oid`;
