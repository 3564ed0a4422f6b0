import type { TestDatabase } from './database.js';

const visible = (column: string) => `${column} !~ '^(pg_|sluice)' AND ${column} <> 'information_schema'`;

/**
 * Every catalog fact outside system and staging schemas as lines of text, by names instead of OIDs, written
 * apart from the product's own reading so that neither is its own judge.
 */
export const FACTS = `
WITH rel AS (SELECT c.*, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${visible('n.nspname')}),
acl AS (
  SELECT 'acl ' || nspname || '.' || relname || ' ' || pg_get_userbyid(x.grantor) || '>' || CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(x.grantee) END || ' ' || privilege_type || ' ' || is_grantable AS line
    FROM rel, aclexplode(coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 'S' ELSE 'r' END::"char", relowner))) x WHERE relkind IN ('r','v','m','S')
  UNION ALL SELECT 'acl ' || nspname || '.' || relname || '.' || attname || ' ' || pg_get_userbyid(x.grantor) || '>' || CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(x.grantee) END || ' ' || privilege_type || ' ' || is_grantable
    FROM rel JOIN pg_attribute a ON a.attrelid = rel.oid, aclexplode(a.attacl) x)
SELECT line FROM acl
UNION ALL SELECT concat_ws(' ', 'rel', nspname, relname, relkind, relpersistence, pg_get_userbyid(relowner), reloptions, relreplident, relrowsecurity, relforcerowsecurity, relispopulated, reltablespace, relam, (SELECT reloptions FROM pg_class t WHERE t.oid = rel.reltoastrelid)) FROM rel
UNION ALL SELECT concat_ws(' ', 'col', nspname, relname, a.attname, row_number() OVER (PARTITION BY rel.oid ORDER BY attnum), format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, attstorage, attcompression, attstattarget, ARRAY(SELECT o FROM unnest(attoptions) o WHERE o ~ '^n_distinct' ORDER BY o), attcollation, attndims, attislocal, attinhcount, pg_get_expr(adbin, adrelid))
  FROM rel JOIN pg_attribute a ON a.attrelid = rel.oid AND attnum > 0 AND NOT attisdropped LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum
UNION ALL SELECT concat_ws(' ', 'con', nspname, relname, conname, contype, pg_get_constraintdef(k.oid), convalidated, condeferrable, condeferred, conislocal, coninhcount, connoinherit, conparentid <> 0, confrelid::regclass, conindid::regclass) FROM rel JOIN pg_constraint k ON conrelid = rel.oid
UNION ALL SELECT concat_ws(' ', 'idx', pg_get_indexdef(indexrelid), indisvalid, indisclustered, indisreplident, indisprimary, indimmediate) FROM rel JOIN pg_index ON indrelid = rel.oid
UNION ALL SELECT concat_ws(' ', 'trg', nspname, relname, regexp_replace(tgname, '[0-9]+$', '#'), CASE WHEN NOT tgisinternal THEN pg_get_triggerdef(t.oid) END, tgenabled, tgfoid::regproc, tgconstrrelid::regclass, (SELECT conname FROM pg_constraint k WHERE k.oid = tgconstraint)) FROM rel JOIN pg_trigger t ON tgrelid = rel.oid
UNION ALL SELECT concat_ws(' ', 'rule', pg_get_ruledef(r.oid), ev_enabled) FROM rel JOIN pg_rewrite r ON ev_class = rel.oid
UNION ALL SELECT concat_ws(' ', 'pol', nspname, relname, polname, polcmd, polpermissive, polroles::text, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) FROM rel JOIN pg_policy ON polrelid = rel.oid
UNION ALL SELECT concat_ws(' ', 'fun', p.oid::regprocedure, pg_get_functiondef(p.oid), proacl, pg_get_userbyid(proowner)) FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE ${visible('n.nspname')} AND prokind IN ('f', 'p')
UNION ALL SELECT concat_ws(' ', 'stx', pg_get_statisticsobjdef(s.oid), stxstattarget, pg_get_userbyid(stxowner)) FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = stxnamespace WHERE ${visible('n.nspname')}
UNION ALL SELECT concat_ws(' ', 'seq', nspname, relname, seqtypid::regtype, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle) FROM rel JOIN pg_sequence ON seqrelid = rel.oid
UNION ALL SELECT concat_ws(' ', 'typ', n.nspname, typname, typtype, pg_get_userbyid(typowner), typacl, typarray::regtype, typelem::regtype) FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace WHERE ${visible('n.nspname')}
UNION ALL SELECT concat_ws(' ', 'inh', inhrelid::regclass, inhparent::regclass, inhseqno) FROM pg_inherits JOIN rel ON rel.oid = inhrelid
UNION ALL SELECT concat_ws(' ', 'pub', prpubid, prrelid::regclass, to_jsonb(r) ->> 'prattrs', pg_get_expr(prqual, prrelid)) FROM pg_publication_rel r JOIN rel ON rel.oid = prrelid
UNION ALL SELECT concat_ws(' ', 'lab', i.type, i.identity, provider, label) FROM pg_seclabel l, pg_identify_object(classoid, objoid, objsubid) i
UNION ALL SELECT concat_ws(' ', 'ini', i.type, i.identity, privtype, initprivs) FROM pg_init_privs p, pg_identify_object(classoid, objoid, objsubid) i WHERE i.schema IS NULL OR ${visible('i.schema')}
UNION ALL SELECT concat_ws(' ', 'def', defaclrole, defaclobjtype, defaclacl) FROM pg_default_acl
UNION ALL SELECT concat_ws(' ', 'rem', i.type, i.identity, description) FROM pg_description d, pg_identify_object(classoid, objoid, objsubid) i WHERE i.schema IS NULL OR ${visible('i.schema')}
UNION ALL SELECT DISTINCT regexp_replace(concat_ws(' ', 'dep', a.type, a.identity, deptype, b.type, b.identity), '(pg_toast_|ConstraintTrigger_([ac]_)?)[0-9]+', '\\1#', 'g')
  FROM pg_depend d, pg_identify_object(d.classid, d.objid, d.objsubid) a, pg_identify_object(d.refclassid, d.refobjid, d.refobjsubid) b
  WHERE d.objid >= 16384 AND a.identity !~ '(^|on |for )"?sluice' AND (a.schema IS NULL OR ${visible('a.schema')}) AND a.type NOT LIKE 'toast%' AND a.type <> 'default acl'
ORDER BY 1`;

/** The lines of FACTS, sorted. */
export async function factsOf(database: TestDatabase): Promise<string[]> {
  const client = await database.connect();
  await client.query("SET search_path = ''");
  const { rows } = await client.query<{ line: string }>(FACTS);
  await client.end();
  return rows.map((row) => row.line);
}

/** Lines of one list that the other lacks, marked - (lost) and + (new). */
export function changed(before: readonly string[], after: readonly string[]): string[] {
  const count = (lines: readonly string[]) => {
    const counts = new Map<string, number>();
    for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
    return counts;
  };
  const [a, b] = [count(before), count(after)];
  return [
    ...[...a].filter(([line, n]) => (b.get(line) ?? 0) < n).map(([line]) => `- ${line}`),
    ...[...b].filter(([line, n]) => (a.get(line) ?? 0) < n).map(([line]) => `+ ${line}`),
  ];
}
