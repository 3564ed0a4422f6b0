import { tableErrors } from '../../core/errors/catalogue/tables.js';
import type { Database } from '../../core/run.js';
import { calledBy, columnBases, DEFAULT_TREE, MAY_NUMBER } from './column-sql.js';

/** What the catalog says about one column, as far as loading it needs to know. */
export interface ColumnFacts {
  readonly name: string;
  /** attnum, 1-based; dropped columns leave gaps. */
  readonly position: number;
  /** The declared type as format_type prints it: `numeric(8,2)`, `app.mood`, `integer[]`. */
  readonly type: string;
  /** typname of the type underneath all domains; with its schema in front where that is not pg_catalog. */
  readonly base: string;
  readonly baseOid: number;
  readonly kind: 'scalar' | 'enum' | 'array' | 'composite' | 'range';
  /** The declared type's name where it is a domain. */
  readonly domain?: string;
  /** varchar(n) and char(n): characters. */
  readonly length?: number;
  /** numeric(p,s). Scale may be negative or greater than the precision (PostgreSQL 15 and later). */
  readonly precision?: number;
  readonly scale?: number;
  /** Of the column itself or of any domain that it goes through. */
  readonly notNull: boolean;
  /** Of its own, or of its domain. */
  readonly hasDefault: boolean;
  readonly identity?: 'always' | 'by default';
  /** Its default numbers rows, or may: it takes the next value of a sequence, or asks a function of the user's. */
  readonly numbers?: true;
  readonly generated?: 'stored' | 'virtual';
  /** An enum's labels in their order. */
  readonly labels?: readonly string[];
  /** An array's element, named as in `base`. */
  readonly element?: string;
}

const COLUMNS = `
WITH RECURSIVE target AS (
  SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
), ${columnBases('a.attrelid = (SELECT oid FROM target) AND a.attnum > 0 AND NOT a.attisdropped')}
SELECT a.attname AS name, a.attnum::int AS position,
       pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
       CASE WHEN bn.nspname = 'pg_catalog' THEN '' ELSE bn.nspname || '.' END || b.typname AS base,
       b.oid::bigint::text AS base_oid, b.typtype AS base_kind, b.domains > 0 AS is_domain, b.typmod,
       a.attnotnull OR b.not_null AS not_null,
       a.attgenerated = '' AND ${DEFAULT_TREE} IS NOT NULL AS has_default,
       a.attgenerated = '' AND EXISTS (SELECT FROM ${calledBy(DEFAULT_TREE)} WHERE ${MAY_NUMBER}) AS numbers,
       a.attidentity AS identity, a.attgenerated AS generated,
       CASE WHEN b.typtype = 'e' THEN (
         SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder)
         FROM pg_catalog.pg_enum e WHERE e.enumtypid = b.oid
       ) END AS labels,
       (SELECT CASE WHEN en.nspname = 'pg_catalog' THEN '' ELSE en.nspname || '.' END || e.typname
        FROM pg_catalog.pg_type e JOIN pg_catalog.pg_namespace en ON en.oid = e.typnamespace
        WHERE e.typarray = b.oid) AS element
FROM base b
JOIN target ON true
JOIN pg_catalog.pg_attribute a ON a.attrelid = target.oid AND a.attnum = b.attnum
JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
JOIN pg_catalog.pg_namespace bn ON bn.oid = b.typnamespace
ORDER BY a.attnum`;

interface CatalogRow extends Record<string, unknown> {
  name: string;
  position: number;
  type: string;
  base: string;
  base_oid: string;
  base_kind: string;
  is_domain: boolean;
  typmod: number;
  not_null: boolean;
  has_default: boolean;
  numbers: boolean;
  identity: string;
  generated: string;
  labels: string[] | null;
  element: string | null;
}

/**
 * The columns of `schema.table` in their order, dropped ones left out. Reads the catalog only.
 * Throws failed('no_such_table') where there is no such table or view.
 */
export async function readColumns(
  database: Pick<Database, 'query'>,
  schema: string,
  table: string,
): Promise<ColumnFacts[]> {
  const rows = await database.query<CatalogRow>(COLUMNS, [schema, table]);
  if (rows.length === 0) {
    throw tableErrors.no_such_table.inCatalog({ table: `${schema}.${table}` });
  }
  return rows.map(facts);
}

function facts(row: CatalogRow): ColumnFacts {
  return {
    name: row.name,
    position: row.position,
    type: row.type,
    base: row.base,
    baseOid: Number(row.base_oid),
    kind: kindOf(row),
    ...(row.is_domain ? { domain: row.type } : {}),
    ...decodeTypmod(row.base, row.typmod),
    notNull: row.not_null,
    hasDefault: row.has_default,
    ...(row.identity === 'a' ? { identity: 'always' as const } : {}),
    ...(row.identity === 'd' ? { identity: 'by default' as const } : {}),
    ...(row.numbers ? { numbers: true as const } : {}),
    ...(row.generated === 's' ? { generated: 'stored' as const } : {}),
    ...(row.generated === 'v' ? { generated: 'virtual' as const } : {}),
    ...(row.labels !== null ? { labels: row.labels } : {}),
    ...(row.element !== null ? { element: row.element } : {}),
  };
}

function kindOf(row: CatalogRow): ColumnFacts['kind'] {
  if (row.element !== null) return 'array';
  if (row.base_kind === 'e') return 'enum';
  if (row.base_kind === 'c') return 'composite';
  if (row.base_kind === 'r' || row.base_kind === 'm') return 'range';
  return 'scalar';
}

/**
 * What a type modifier means. The bits are those of varchar.c (length + VARHDRSZ) and numeric.c
 * (precision in the upper 16 bits, scale in the lower 11, signed, + VARHDRSZ).
 */
function decodeTypmod(base: string, typmod: number): Pick<ColumnFacts, 'length' | 'precision' | 'scale'> {
  if (typmod < 4) return {};
  if (base === 'varchar' || base === 'bpchar') return { length: typmod - 4 };
  if (base === 'numeric') {
    const bits = typmod - 4;
    return { precision: (bits >> 16) & 0xffff, scale: ((bits & 0x7ff) ^ 1024) - 1024 };
  }
  return {};
}
