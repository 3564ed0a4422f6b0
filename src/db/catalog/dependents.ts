import type { Client } from 'pg';
import { referencedKey } from './constraints.js';
import type { ReferencedKey } from './facts.js';
import { ownObjects } from './own.js';
import { askCatalog } from './session.js';
import { comment } from './sql.js';

interface About {
  /** The OIDs of the target tables that it holds on to. */
  readonly targets: readonly number[];
  /** As messages name it: `view reports.totals`. */
  readonly label: string;
  readonly owner: string;
  /** Whether the session's role may act as the owner. */
  readonly owned: boolean;
}

/** Something outside the tables that refers to them and must be pointed at the new ones. */
export type Dependent = About &
  (
    | {
        readonly kind: 'view';
        readonly schema: string;
        readonly name: string;
        readonly definition: string;
        readonly options: readonly string[];
        /** Whether the role may create in the view's schema, as replacing a view demands. */
        readonly mayCreate: boolean;
        readonly temporary: boolean;
      }
    | { readonly kind: 'materialized view'; readonly schema: string; readonly name: string }
    | {
        readonly kind: 'function';
        readonly definition: string | null;
        readonly mayCreate: boolean;
        /** `schema.name(argument types)`, quoted. */
        readonly signature: string;
        /** The extensions that it is marked as depending on. */
        readonly extensions: readonly string[];
      }
    | {
        readonly kind: 'foreign key';
        readonly schema: string;
        readonly table: string;
        readonly name: string;
        readonly definition: string;
        readonly validated: boolean;
        readonly enforced: boolean;
        readonly comment: string | null;
        readonly key: ReferencedKey | null;
        /** The referencing table's relkind and whether the key came down from a partitioned parent. */
        readonly childKind: string;
        readonly inherited: boolean;
      }
    | {
        readonly kind: 'policy';
        readonly schema: string;
        readonly table: string;
        readonly name: string;
        readonly using: string | null;
        readonly check: string | null;
      }
    | {
        readonly kind: 'rule';
        readonly schema: string;
        readonly table: string;
        readonly name: string;
        readonly definition: string;
        /** relkind of what the rule is on. */
        readonly on: string;
      }
    | { readonly kind: 'other'; readonly part: string; readonly catalog: string }
  );

/** A plpgsql function whose text names a table: open sessions hold its row type in compiled variables. */
export interface CompiledFunction {
  readonly target: number;
  /** `schema.name(argument types)`, quoted. */
  readonly signature: string;
  /** f function, p procedure. */
  readonly kind: string;
  readonly cost: string;
  readonly securityDefiner: boolean;
  readonly owned: boolean;
  /** Whether the text declares the table's row type (`table%ROWTYPE`). */
  readonly rowType: boolean;
}

const REFERRING = `
WITH own AS MATERIALIZED (${ownObjects('$1::oid[]')})
SELECT d.classid, d.objid, d.classid::regclass::text AS catalog,
  json_agg(DISTINCT own.target::bigint) AS targets, json_agg(DISTINCT own.part) AS parts,
  pg_describe_object(d.classid, d.objid, max(d.objsubid)) AS label
FROM own JOIN pg_depend d ON d.refclassid = own.classid AND d.refobjid = own.objid
WHERE own.part <> 'serial'
  AND NOT EXISTS (SELECT FROM own o WHERE o.classid = d.classid AND o.objid = d.objid)
GROUP BY d.classid, d.objid
-- Readers lock a view before what it reads: so must we, or the two deadlock.
ORDER BY d.classid = 'pg_rewrite'::regclass AND EXISTS (SELECT FROM pg_rewrite inner_one JOIN pg_depend e
  ON e.refclassid = 'pg_class'::regclass AND e.refobjid = inner_one.ev_class
    AND e.classid = 'pg_rewrite'::regclass AND e.objid <> inner_one.oid
  WHERE inner_one.oid = d.objid), label`;

const mine = (owner: string) =>
  `pg_get_userbyid(${owner}) AS owner, pg_has_role(current_user, ${owner}, 'USAGE') AS owned`;

const RULES = `
SELECT r.oid, r.rulename AS name, c.relkind::text AS on, n.nspname AS schema, c.relname AS table,
  format('%I.%I', n.nspname, c.relname) AS relation, ${mine('c.relowner')},
  has_schema_privilege(n.oid, 'CREATE') AS "mayCreate", c.relpersistence = 't' AS temporary,
  CASE WHEN c.relkind IN ('v', 'm') AND r.rulename = '_RETURN' THEN pg_get_viewdef(c.oid)
    ELSE pg_get_ruledef(r.oid) END AS definition,
  coalesce(to_json(c.reloptions), '[]') AS options
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE r.oid = ANY ($1::oid[])`;

const KEYS = `
SELECT k.oid, k.contype::text AS type, k.conname AS name, n.nspname AS schema, c.relname AS table,
  c.relkind::text AS "childKind", k.conparentid <> 0 AS inherited, ${mine('c.relowner')},
  pg_get_constraintdef(k.oid) AS definition, k.convalidated AS validated,
  coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true) AS enforced,
  ${comment('k.oid', 'pg_constraint')} AS comment, ${referencedKey('k')} AS key
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.oid = ANY ($1::oid[]) AND k.contype = 'f'`;

const FUNCTIONS = `
SELECT p.oid, ${mine('p.proowner')}, has_schema_privilege(p.pronamespace, 'CREATE') AS "mayCreate",
  format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS signature,
  (SELECT coalesce(json_agg(e.extname ORDER BY e.extname), '[]') FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_extension'::regclass
      AND d.deptype = 'x') AS extensions,
  CASE WHEN p.prokind IN ('f', 'p') THEN pg_get_functiondef(p.oid) END AS definition
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = ANY ($1::oid[])`;

const POLICIES = `
SELECT p.oid, p.polname AS name, n.nspname AS schema, c.relname AS table, ${mine('c.relowner')},
  pg_get_expr(p.polqual, p.polrelid) AS using, pg_get_expr(p.polwithcheck, p.polrelid) AS check
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE p.oid = ANY ($1::oid[])`;

interface Referring {
  readonly objid: number;
  readonly catalog: string;
  readonly targets: number[];
  readonly parts: string[];
  readonly label: string;
}

/**
 * Everything in pg_depend that refers to a part of the tables and is not itself one: the closed world.
 * What is of no kind known here comes back as `other`. Call inside withCatalog.
 */
export async function readDependents(client: Client, targets: readonly number[]): Promise<Dependent[]> {
  const found = (await askCatalog<Referring>(client, REFERRING, [targets])).rows;
  const details = new Map<string, Record<string, unknown>>();
  for (const [catalog, sql] of [
    ['pg_rewrite', RULES],
    ['pg_constraint', KEYS],
    ['pg_proc', FUNCTIONS],
    ['pg_policy', POLICIES],
  ] as const) {
    const oids = found.filter((row) => row.catalog === catalog).map((row) => row.objid);
    if (oids.length === 0) continue;
    for (const row of (await askCatalog(client, sql, [oids])).rows) details.set(`${catalog} ${row.oid}`, row);
  }
  return found.map((row) => dependent(row, details.get(`${row.catalog} ${row.objid}`)));
}

function dependent(row: Referring, detail: Record<string, unknown> | undefined): Dependent {
  const about = { targets: row.targets, label: row.label };
  const known = (extra: object) => {
    const facts: object = { ...about, owner: '', owned: true, ...detail, ...extra };
    return facts as Dependent;
  };
  // A hold on the row type cannot be moved from one table to another, whatever holds it.
  if (!row.parts.includes('row type') && detail !== undefined) {
    if (row.catalog === 'pg_constraint') return known({ kind: 'foreign key' });
    if (row.catalog === 'pg_proc') return known({ kind: 'function' });
    if (row.catalog === 'pg_policy') return known({ kind: 'policy' });
    if (detail.name !== '_RETURN') return known({ kind: 'rule' });
    const kind = detail.on === 'm' ? 'materialized view' : 'view';
    return known({ kind, name: detail.table, label: `${kind} ${detail.relation}` });
  }
  const part = row.parts.join(', ');
  return { ...about, kind: 'other', owner: '', owned: true, part, catalog: row.catalog };
}

const COMPILED = `
SELECT DISTINCT ON (c.oid, p.oid) c.oid AS target, p.prokind::text AS kind, p.procost::text AS cost,
  p.prosecdef AS "securityDefiner", pg_has_role(current_user, p.proowner, 'USAGE') AS owned,
  format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS signature,
  p.prosrc ~* (name.pattern || '"?\\s*%\\s*rowtype') AS "rowType"
FROM pg_class c CROSS JOIN LATERAL (SELECT regexp_replace(c.relname, '([^[:alnum:]_])', '\\\\\\1', 'g')) AS name(pattern)
JOIN pg_proc p ON p.prosrc ~* ('\\m' || name.pattern || '\\M') JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE c.oid = ANY ($1::oid[]) AND p.prolang = (SELECT oid FROM pg_language WHERE lanname = 'plpgsql')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND p.prokind IN ('f', 'p')
ORDER BY c.oid, p.oid`;

/** The plpgsql routines whose text names one of the tables. Call inside withCatalog. */
export async function readCompiled(client: Client, targets: readonly number[]): Promise<CompiledFunction[]> {
  return (await askCatalog<CompiledFunction>(client, COMPILED, [targets])).rows;
}

const REFRESH = `
WITH RECURSIVE seen(oid) AS (
  SELECT oid FROM unnest($1::oid[]) oid
  UNION
  SELECT r.ev_class FROM seen JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = seen.oid
    AND d.classid = 'pg_rewrite'::regclass JOIN pg_rewrite r ON r.oid = d.objid AND r.rulename = '_RETURN')
SELECT n.nspname AS schema, c.relname AS name FROM seen JOIN pg_class c USING (oid)
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'm' AND c.relispopulated ORDER BY 1, 2`;

/** Materialized views that hold rows of the tables, which they read through however many views. Call inside withCatalog. */
export async function readMaterialized(
  client: Client,
  targets: readonly number[],
): Promise<{ schema: string; name: string }[]> {
  return (await askCatalog<{ schema: string; name: string }>(client, REFRESH, [targets])).rows;
}
