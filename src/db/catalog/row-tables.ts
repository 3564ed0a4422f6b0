import type { ClientBase } from 'pg';
import { qualified } from '../quote.js';
import { columnBases, columnNames, keyNumbers } from './column-sql.js';
import { ancestorsOf, membersOf } from './members.js';
import { ownOperator } from './own-operator.js';
import { askCatalog } from './session.js';

/** A column of a live table as row changes need to know it. */
export interface RowColumn {
  readonly name: string;
  /** The type as SQL writes it, with its modifier: `numeric(10,2)`. */
  readonly type: string;
  readonly notNull: boolean;
  /** Whether an INSERT that leaves the column out gets something else than NULL. */
  readonly filled: boolean;
  /** GENERATED ALWAYS / BY DEFAULT AS IDENTITY, or neither. */
  readonly identity: 'always' | 'default' | null;
  /** GENERATED ALWAYS AS (…), stored or virtual. */
  readonly generated: boolean;
  /** The type's default equality, as `OPERATOR(schema.=)`; null for types that have none (json, point, xml). */
  readonly equality: string | null;
  /** Whether the type has a binary output, so that a hash over its bytes can be taken. */
  readonly sendable: boolean;
  /** The sequence that numbers the column (identity, serial, or DEFAULT nextval), where it is an integer. */
  readonly sequence: RowSequence | null;
  readonly may: { readonly select: boolean; readonly insert: boolean; readonly update: boolean };
}

export interface RowSequence {
  readonly schema: string;
  readonly name: string;
  readonly increment: string;
  /** Whether the current role may ALTER it. */
  readonly owned: boolean;
  /** Whether the current role may read its position and set it (SELECT and UPDATE). */
  readonly settable: boolean;
}

/**
 * A unique index that holds of every row that is committed: valid, not partial, no expressions. It may be deferrable:
 * what a publish relies on is what others have committed, and its own rows are asked beforehand.
 */
interface RowKey {
  readonly name: string;
  readonly columns: readonly string[];
  readonly primary: boolean;
}

/** A foreign key of another (or the same) table that points at the table. */
interface RowChild {
  readonly constraint: string;
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
  readonly parentColumns: readonly string[];
  /** Equality per column pair, parent's value left: `OPERATOR(pg_catalog.=)`. */
  readonly operators: readonly string[];
  readonly onDelete: 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default';
  readonly self: boolean;
  readonly readable: boolean;
  /** Whether row-level security hides rows of it from the current role. */
  readonly hidden: boolean;
}

/**
 * A user trigger of the table or of one of its partitions, each with a state of its own; Sluice's guard triggers are
 * not among them.
 */
export interface RowTrigger {
  /** Where it is. */
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  /** pg_trigger.tgenabled: fires at Origin, Always, on a Replica, or is Disabled. */
  readonly enabled: 'O' | 'A' | 'R' | 'D';
  readonly before: boolean;
  readonly insert: boolean;
}

/** What the catalog says about a table whose rows are to be changed. */
export interface RowTable {
  readonly oid: number;
  readonly schema: string;
  readonly table: string;
  /** pg_class.relkind: `r` a table, `p` a partitioned one, and what else a name may stand for. */
  readonly kind: string;
  /** Whether the current role has the rights of its owner, and of the owners of its partitions. */
  readonly owned: boolean;
  readonly mayDelete: boolean;
  /** Whether row-level security hides rows from the current role, and the policies that concern it. */
  readonly rowSecurity: boolean;
  readonly policies: readonly string[];
  /** Rewrite rules on INSERT, UPDATE or DELETE. */
  readonly rules: readonly string[];
  /** The tables that inherit from it, `schema.table` (partitions not meant). */
  readonly heirs: readonly string[];
  /** Partitions that are foreign tables, `schema.table`. */
  readonly foreign: readonly string[];
  /** Whether deferrable constraints may leave trigger events pending. */
  readonly deferrable: boolean;
  readonly columns: readonly RowColumn[];
  readonly keys: readonly RowKey[];
  readonly children: readonly RowChild[];
  /** Every other table that its foreign keys, or those of its partitions, point at. */
  readonly parents: readonly { readonly schema: string; readonly table: string }[];
  readonly triggers: readonly RowTrigger[];
}

/**
 * Reads `schema.table` from the catalog, or undefined where nothing has that name. Four statements,
 * no locks beyond the catalog's own.
 */
export async function readRowTable(
  client: ClientBase,
  schema: string,
  table: string,
): Promise<RowTable | undefined> {
  const found = await askCatalog(client, RELATION, [qualified(schema, table)]);
  const relation = found.rows[0]?.relation as Omit<RowTable, 'columns' | 'keys' | 'children'> | undefined;
  if (relation === undefined) return undefined;
  const columns = await askCatalog(client, COLUMNS, [relation.oid]);
  const keys = await askCatalog(client, KEYS, [relation.oid]);
  const children = await askCatalog(client, CHILDREN, [relation.oid]);
  return {
    ...relation,
    columns: columns.rows.map((row) => row.fact as RowColumn),
    keys: keys.rows.map((row) => row.fact as RowKey),
    children: children.rows.map((row) => row.fact as RowChild),
  };
}

const RELATION = `
WITH member AS (${membersOf('to_regclass($1)')})
SELECT json_build_object(
  'oid', c.oid::bigint, 'schema', n.nspname, 'table', c.relname, 'kind', c.relkind,
  'owned', (SELECT bool_and(pg_has_role(m.relowner, 'USAGE')) FROM pg_class m WHERE m.oid IN (SELECT oid FROM member)),
  'mayDelete', c.relkind IN ('r', 'p') AND has_table_privilege(c.oid, 'DELETE'),
  'rowSecurity', row_security_active(c.oid),
  'policies', (SELECT coalesce(json_agg(p.polname ORDER BY p.polname), '[]') FROM pg_catalog.pg_policy p
               WHERE p.polrelid = c.oid AND EXISTS (
                 SELECT FROM pg_catalog.unnest(p.polroles) AS r (oid)
                 WHERE r.oid = 0 OR pg_catalog.pg_has_role(r.oid, 'USAGE'))),
  'rules', (SELECT coalesce(json_agg(r.rulename ORDER BY r.rulename), '[]')
            FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type IN ('2', '3', '4') AND r.ev_enabled <> 'D'),
  'heirs', (SELECT coalesce(json_agg(hn.nspname || '.' || h.relname ORDER BY hn.nspname, h.relname), '[]')
            FROM pg_inherits i JOIN pg_class h ON h.oid = i.inhrelid JOIN pg_namespace hn ON hn.oid = h.relnamespace
            WHERE c.relkind = 'r' AND i.inhparent = c.oid),
  'foreign', (SELECT coalesce(json_agg(fn.nspname || '.' || f.relname ORDER BY fn.nspname, f.relname), '[]')
              FROM pg_class f JOIN pg_namespace fn ON fn.oid = f.relnamespace
              WHERE f.relkind = 'f' AND f.oid <> c.oid AND f.oid IN (SELECT oid FROM member)),
  'deferrable', EXISTS (SELECT FROM pg_constraint k WHERE k.condeferrable
                        AND (k.conrelid IN (SELECT oid FROM member) OR k.confrelid IN (SELECT oid FROM member))),
  'parents', (SELECT coalesce(json_agg(json_build_object('schema', q.schema, 'table', q.table)
                       ORDER BY q.schema, q.table), '[]')
              FROM (SELECT DISTINCT pn.nspname AS schema, p.relname AS table
                    FROM pg_constraint k JOIN pg_class p ON p.oid = k.confrelid
                    JOIN pg_namespace pn ON pn.oid = p.relnamespace
                    WHERE k.contype = 'f' AND k.conrelid IN (SELECT oid FROM member)
                      AND k.confrelid NOT IN (SELECT oid FROM member)) q),
  'triggers', (SELECT coalesce(json_agg(json_build_object(
                 'schema', mn.nspname, 'table', m.relname,
                 'name', t.tgname, 'enabled', t.tgenabled, 'before', t.tgtype & 2 = 2 AND t.tgtype & 1 = 1,
                 'insert', t.tgtype & 4 = 4) ORDER BY m.oid <> c.oid, mn.nspname, m.relname, t.tgname), '[]')
               FROM pg_trigger t JOIN pg_class m ON m.oid = t.tgrelid JOIN pg_namespace mn ON mn.oid = m.relnamespace
               WHERE m.oid IN (SELECT oid FROM member) AND NOT t.tgisinternal
                 AND t.tgname NOT LIKE 'sluice\\_guard\\_%')
) AS relation
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass($1)`;

// A default btree operator class is declared for the type itself, for a polymorphic stand-in (arrays,
// enums, ranges), or for a type it is binary-coercible to (varchar to text): the order of the three is
// PostgreSQL's own, see GetDefaultOpClass(). The sequence of an identity column is the root's, also of a partition,
// which before version 17 is no identity column itself.
const COLUMNS = `
WITH RECURSIVE ${columnBases('a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped')}, home AS MATERIALIZED (
  SELECT o.attname, o.attrelid, o.attnum FROM pg_attribute o
  WHERE o.attnum > 0 AND NOT o.attisdropped AND (o.attrelid = $1::oid
    OR o.attrelid IN (${ancestorsOf('$1::oid')}) AND (SELECT c.relispartition FROM pg_class c WHERE c.oid = $1::oid))
)
SELECT json_build_object(
  'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'notNull', a.attnotnull,
  'filled', a.atthasdef OR a.attidentity <> '' OR dt.typdefault IS NOT NULL,
  'identity', CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'default' END,
  'generated', a.attgenerated <> '',
  'equality', ${ownOperator('b', '=')},
  'sendable', b.typsend <> 0 AND coalesce((SELECT e.typsend <> 0 FROM pg_type e WHERE e.oid = b.typelem), true),
  'sequence', (
    SELECT json_build_object('schema', sn.nspname, 'name', s.relname, 'increment', g.seqincrement::text,
      'owned', pg_has_role(s.relowner, 'USAGE'),
      'settable', has_sequence_privilege(s.oid, 'SELECT') AND has_sequence_privilege(s.oid, 'UPDATE'))
    FROM (
      SELECT d.objid AS oid FROM home h JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass
        AND d.refobjid = h.attrelid AND d.refobjsubid = h.attnum AND d.classid = 'pg_class'::regclass AND d.deptype = 'i'
      WHERE h.attname = a.attname
      UNION ALL
      SELECT d.refobjid FROM pg_attrdef f JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid
        AND d.refclassid = 'pg_class'::regclass
      WHERE f.adrelid = a.attrelid AND f.adnum = a.attnum) q
    JOIN pg_class s ON s.oid = q.oid AND s.relkind = 'S'
    JOIN pg_sequence g ON g.seqrelid = s.oid
    JOIN pg_namespace sn ON sn.oid = s.relnamespace
    WHERE b.oid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
    ORDER BY s.oid LIMIT 1),
  'may', json_build_object(
    'select', has_column_privilege(a.attrelid, a.attnum, 'SELECT'),
    'insert', has_column_privilege(a.attrelid, a.attnum, 'INSERT'),
    'update', has_column_privilege(a.attrelid, a.attnum, 'UPDATE'))
) AS fact
FROM pg_attribute a
JOIN base b ON b.attnum = a.attnum
JOIN pg_type dt ON dt.oid = a.atttypid
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum`;

const KEYS = `
SELECT json_build_object(
  'name', c.relname, 'primary', i.indisprimary,
  'columns', ${columnNames(keyNumbers('i'), 'i.indrelid')}
) AS fact
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = $1::oid AND i.indisunique AND i.indisvalid
  AND i.indpred IS NULL AND i.indexprs IS NULL
ORDER BY i.indisprimary DESC, c.relname`;

// A key to a partitioned table has a copy for each of its partitions, and one for each partition that has the key.
// What counts is the topmost that points at the table or its partitions: of a partition alone, its copy, which goes
// by the name of the key itself.
const CHILDREN = `
WITH member AS (${membersOf('$1::oid')})
SELECT json_build_object(
  'constraint', (WITH RECURSIVE up AS (SELECT k.oid, k.conname, k.conparentid UNION ALL
      SELECT p.oid, p.conname, p.conparentid FROM up JOIN pg_constraint p ON p.oid = up.conparentid)
    SELECT conname FROM up WHERE conparentid = 0),
  'schema', n.nspname, 'table', c.relname,
  'columns', ${columnNames('k.conkey', 'k.conrelid')}, 'parentColumns', ${columnNames('k.confkey', 'k.confrelid')},
  'operators', (SELECT json_agg(format('OPERATOR(%I.%s)', opn.nspname, op.oprname) ORDER BY x.p)
              FROM unnest(k.conpfeqop) WITH ORDINALITY x(n, p)
              JOIN pg_operator op ON op.oid = x.n JOIN pg_namespace opn ON opn.oid = op.oprnamespace),
  'onDelete', CASE k.confdeltype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' WHEN 'd' THEN 'set default'
              WHEN 'r' THEN 'restrict' ELSE 'no action' END,
  'self', k.conrelid IN (SELECT oid FROM member) OR k.conrelid IN (${ancestorsOf('$1::oid')}),
  'readable', has_any_column_privilege(k.conrelid, 'SELECT'),
  'hidden', pg_catalog.row_security_active(k.conrelid)
) AS fact
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.confrelid IN (SELECT oid FROM member) AND k.contype = 'f'
  AND NOT EXISTS (SELECT FROM pg_constraint u WHERE u.oid = k.conparentid AND u.confrelid IN (SELECT oid FROM member))
ORDER BY n.nspname, c.relname, k.conname`;
