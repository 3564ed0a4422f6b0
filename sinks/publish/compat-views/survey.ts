import type { Client } from 'pg';
import type { CompatibilityView } from '../../../src/core/compatibility.js';
import { readDependents } from '../../../src/db/catalog/dependents.js';
import { withCatalog } from '../../../src/db/catalog/session.js';
import { qualified } from '../../../src/db/quote.js';

/** A privilege on the old table that the view gets too; `columns` where it was given on columns only. */
interface ViewGrant {
  /** NULL: PUBLIC. */
  readonly grantee: string | null;
  readonly privilege: string;
  readonly grantable: boolean;
  readonly column: string | null;
}

/** A view to be made, and the table whose name it takes. */
export interface OldName {
  readonly view: CompatibilityView;
  readonly schema: string;
  /** Undefined where the name is free. */
  readonly table:
    | { readonly oid: number; readonly owner: string; readonly grants: readonly ViewGrant[] }
    | undefined;
}

/** Why the views cannot be made as things are, or what is to be known; sentences without their full stop. */
interface Concern {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly next: string;
}

export interface SurveyedNames {
  /** Views to be made. Those that an earlier batch has made are there and stay. */
  readonly names: readonly OldName[];
  readonly concerns: readonly Concern[];
}

interface Found {
  readonly name: string;
  readonly home: string | null;
  readonly schema: string | null;
  readonly oid: number | null;
  readonly kind: string;
  readonly owner: string;
  readonly owned: boolean;
  readonly secured: boolean;
  readonly grants: readonly ViewGrant[];
  readonly triggers: readonly string[];
}

const FIND = `
SELECT w.name, ($2::text[])[1] AS home, n.nspname AS schema, c.oid, coalesce(c.relkind::text, '') AS kind,
  pg_get_userbyid(c.relowner) AS owner, coalesce(pg_has_role(c.relowner, 'USAGE'), true) AS owned,
  coalesce(c.relrowsecurity, false) AS secured,
  coalesce((SELECT json_agg(g ORDER BY g.grantee, g.privilege, g."column") FROM (
    SELECT CASE WHEN a.grantee <> 0 THEN pg_get_userbyid(a.grantee) END AS grantee, a.privilege_type AS privilege, a.is_grantable AS grantable, NULL::name AS "column"
    FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner
    UNION ALL
    SELECT CASE WHEN a.grantee <> 0 THEN pg_get_userbyid(a.grantee) END, a.privilege_type, a.is_grantable, t.attname
    FROM pg_attribute t CROSS JOIN aclexplode(t.attacl) a WHERE t.attrelid = c.oid AND NOT t.attisdropped AND a.grantee <> c.relowner) g
    WHERE g.privilege IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')), '[]') AS grants,
  coalesce((SELECT json_agg(t.tgname ORDER BY t.tgname) FROM pg_trigger t
    WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgname !~ '^sluice_guard_'), '[]') AS triggers
FROM unnest($1::text[]) w(name)
LEFT JOIN LATERAL (
  SELECT c.* FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
  WHERE c.relname = w.name AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND s.nspname = ANY ($2::text[])
  ORDER BY array_position($2::text[], s.nspname::text) LIMIT 1) c ON true
LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
ORDER BY array_position($1::text[], w.name)`;

const KINDS: Readonly<Record<string, string>> = {
  p: 'a partitioned table',
  v: 'a view',
  m: 'a materialized view',
  f: 'a foreign table',
};

/**
 * Looks up where the views go and what has their names now. `ours`: the OIDs of views that earlier batches have made,
 * which stay; `schemas`: where a name without a schema may be, in order. Reads only. The session must be idle.
 */
export async function surveyNames(
  client: Client,
  views: readonly CompatibilityView[],
  ours: ReadonlySet<number>,
  schemas: readonly string[],
): Promise<SurveyedNames> {
  const names: OldName[] = [];
  const concerns: Concern[] = [];
  const refuse = (message: string, next: string) => concerns.push({ severity: 'error', message, next });
  if (views.length === 0) return { names, concerns };
  const found = (await client.query<Found>(FIND, [views.map((view) => view.name), schemas])).rows;
  for (const [at, each] of found.entries()) {
    const view = views[at] as CompatibilityView;
    if (each.oid !== null && ours.has(each.oid)) continue;
    const schema = each.schema ?? each.home;
    const label = `${schema}.${view.name}`;
    if (schema === null)
      refuse(
        `there is no schema to make the view ${view.name} in`,
        'set search_path for the role or the database',
      );
    else if (each.oid === null) names.push({ view, schema, table: undefined });
    else if (each.kind !== 'r')
      refuse(
        `the view ${label} cannot be made: ${KINDS[each.kind] ?? 'something else'} has that name`,
        'rename or drop it, or go on without the views',
      );
    else if (!view.replaces)
      refuse(
        `the view ${label} cannot be made: a table has that name, and the old system was read from elsewhere`,
        'rename that table, put another schema first on the search_path, or go on without the views',
      );
    else if (!each.owned)
      refuse(
        `${label} belongs to ${each.owner}, whose rights the connected role lacks`,
        `GRANT ${each.owner} to the role that runs this`,
      );
    else if (each.secured)
      refuse(
        `${label} has row-level security, which a view in its place would not have`,
        'go on without the views',
      );
    else {
      if (each.triggers.length > 0)
        concerns.push({
          severity: 'warning',
          message: `triggers of ${label} do not fire any more once a view is in its place: ${each.triggers.join(', ')}`,
          next: 'put what they do on the new tables',
        });
      names.push({ view, schema, table: { oid: each.oid, owner: each.owner, grants: each.grants } });
    }
  }
  const tables = names.flatMap(({ table }) => table?.oid ?? []);
  const dependents = await withCatalog(client, () => readDependents(client, tables));
  for (const { label, targets } of dependents) {
    const of = names.find(({ table }) => table !== undefined && targets.includes(table.oid));
    refuse(
      `${label} holds on to ${of === undefined ? 'an old table' : qualified(of.schema, of.view.name)}, and would go on with the old rows`,
      'drop it for the run, and make it again on the view of that name afterwards; or go on without the views',
    );
  }
  return { names, concerns };
}
