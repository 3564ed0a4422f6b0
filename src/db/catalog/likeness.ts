import type { Client } from 'pg';
import { literal } from '../quote.js';
import { askCatalog } from './session.js';
import { GUARD_TRIGGER_PREFIX } from './sql.js';

/** What a table is to those who use it: see likenessSql. */
export interface Likeness {
  readonly oid: number;
  /** In the order of their bytes. */
  readonly lines: readonly string[];
  /** md5 of the lines, as the server computes it. */
  readonly sum: string;
}

/** Call inside withCatalog. */
export async function readLikeness(client: Client, oid: number): Promise<Likeness> {
  const { rows } = await askCatalog<Omit<Likeness, 'oid'>>(client, likenessSql('$1'), [oid]);
  return { oid, ...(rows[0] as Omit<Likeness, 'oid'>) };
}

/** What is in only one of two lists of lines, as a person is told it. Pure. */
export function unlike(was: readonly string[], is: readonly string[]): string[] {
  return [
    ...is.filter((line) => !was.includes(line)).map((line) => `it would have: ${line}`),
    ...was.filter((line) => !is.includes(line)).map((line) => `it would lack: ${line}`),
  ];
}

/**
 * SQL for one row: `lines` (json) that say what the table `oid` (SQL for an oid) is to those who use it, and their
 * `sum`. The table that takes its place under its name gives the same. Runs under an empty search_path.
 */
export function likenessSql(oid: string): string {
  const order = 'ORDER BY l.line COLLATE "C"';
  return `SELECT pg_catalog.json_agg(l.line ${order}) AS lines, pg_catalog.md5(pg_catalog.string_agg(l.line, E'\\n' ${order})) AS sum FROM (${linesSql(oid)}) l`;
}

/** By names and definitions, without OIDs; what only a load has on a table (its guard's triggers) is left out. */
function linesSql(oid: string): string {
  const id = `(${oid})::pg_catalog.oid`;
  const acl = (list: string, on: string) =>
    `pg_catalog.concat_ws(' ', ${on}, 'privilege', x.privilege_type, CASE WHEN x.is_grantable THEN 'WITH GRANT OPTION' END, 'for', CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(x.grantee) END, 'by', pg_catalog.pg_get_userbyid(x.grantor)) FROM ${list}`;
  return `
SELECT pg_catalog.concat_ws(' ', 'owner', pg_catalog.pg_get_userbyid(c.relowner)) AS line FROM pg_catalog.pg_class c WHERE c.oid = ${id}
UNION ALL SELECT 'row-level security' FROM pg_catalog.pg_class c WHERE c.oid = ${id} AND c.relrowsecurity
UNION ALL SELECT 'FORCE ROW LEVEL SECURITY' FROM pg_catalog.pg_class c WHERE c.oid = ${id} AND c.relforcerowsecurity
UNION ALL SELECT pg_catalog.concat('replica identity ', c.relreplident, ', persistence ', c.relpersistence) FROM pg_catalog.pg_class c WHERE c.oid = ${id}
UNION ALL SELECT pg_catalog.concat('option ', o.o) FROM pg_catalog.pg_class c CROSS JOIN pg_catalog.unnest(c.reloptions) o(o) WHERE c.oid = ${id}
UNION ALL SELECT ${acl(`pg_catalog.pg_class c CROSS JOIN pg_catalog.aclexplode(coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))) x`, "'table'")} WHERE c.oid = ${id}
UNION ALL SELECT ${acl(`pg_catalog.pg_attribute a CROSS JOIN pg_catalog.aclexplode(a.attacl) x`, "'column', a.attname")} WHERE a.attrelid = ${id} AND NOT a.attisdropped
UNION ALL SELECT pg_catalog.concat_ws(' ', 'column', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END, CASE WHEN a.attcollation <> 0 THEN a.attcollation::pg_catalog.regcollation END, nullif(pg_catalog.concat('identity ', a.attidentity), 'identity '), nullif(pg_catalog.concat('generated ', a.attgenerated), 'generated '), 'default ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid), 'storage', a.attstorage)
  FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = ${id} AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL SELECT pg_catalog.concat_ws(' ', 'constraint', k.conname, pg_catalog.pg_get_constraintdef(k.oid)) FROM pg_catalog.pg_constraint k WHERE k.conrelid = ${id} AND k.contype <> 't'
UNION ALL SELECT pg_catalog.concat_ws(' ', 'index', pg_catalog.pg_get_indexdef(i.indexrelid), CASE WHEN NOT i.indisvalid THEN 'invalid' END) FROM pg_catalog.pg_index i WHERE i.indrelid = ${id}
UNION ALL SELECT pg_catalog.concat_ws(' ', 'trigger', t.tgname, t.tgenabled, pg_catalog.pg_get_triggerdef(t.oid)) FROM pg_catalog.pg_trigger t
  WHERE t.tgrelid = ${id} AND NOT t.tgisinternal AND NOT pg_catalog.starts_with(t.tgname, ${literal(GUARD_TRIGGER_PREFIX)})
UNION ALL SELECT pg_catalog.concat_ws(' ', 'rule', r.rulename, r.ev_enabled, pg_catalog.pg_get_ruledef(r.oid)) FROM pg_catalog.pg_rewrite r WHERE r.ev_class = ${id}
UNION ALL SELECT pg_catalog.concat_ws(' ', 'policy', p.polname, p.polcmd, p.polpermissive, ARRAY(SELECT CASE WHEN r.r = 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(r.r)::pg_catalog.text END FROM pg_catalog.unnest(p.polroles) r(r) ORDER BY 1), 'using', pg_catalog.pg_get_expr(p.polqual, p.polrelid), 'check', pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)) FROM pg_catalog.pg_policy p WHERE p.polrelid = ${id}
UNION ALL SELECT pg_catalog.concat('publication ', p.pubname) FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid WHERE r.prrelid = ${id}
UNION ALL SELECT pg_catalog.concat_ws(' ', 'security label', l.provider, l.label) FROM pg_catalog.pg_seclabel l WHERE l.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND l.objoid = ${id}
UNION ALL SELECT pg_catalog.concat_ws(' ', 'inherits', i.inhparent::pg_catalog.regclass) FROM pg_catalog.pg_inherits i WHERE i.inhrelid = ${id}
UNION ALL SELECT pg_catalog.concat_ws(' ', 'comment', a.attname, d.description) FROM pg_catalog.pg_description d LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = d.objoid AND a.attnum = nullif(d.objsubid, 0)
  WHERE d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objoid = ${id}`;
}
