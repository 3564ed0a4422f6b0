/**
 * SQL for the rows (classid, objid, target, part) of everything that belongs to the tables in `targets`
 * (SQL for an oid[]): what a swap moves or makes anew. `part` tells dependents apart by what they hold on
 * to. A serial's sequence is left out: it keeps its OID through a swap, so nothing on it needs care.
 */
export function ownObjects(targets: string): string {
  const of = (catalog: string) => `'pg_catalog.${catalog}'::pg_catalog.regclass::oid`;
  return `
SELECT ${of('pg_class')} AS classid, c.oid AS objid, c.oid AS target, 'table' AS part
  FROM pg_catalog.pg_class c WHERE c.oid = ANY (${targets})
UNION ALL SELECT ${of('pg_type')}, t.oid, c.oid, 'row type' FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_type t ON t.oid = c.reltype OR (t.typelem = c.reltype AND t.typcategory = 'A')
  WHERE c.oid = ANY (${targets}) AND c.reltype <> 0
UNION ALL SELECT ${of('pg_class')}, i.indexrelid, i.indrelid, 'index'
  FROM pg_catalog.pg_index i WHERE i.indrelid = ANY (${targets})
UNION ALL SELECT ${of('pg_class')}, c.reltoastrelid, c.oid, 'toast'
  FROM pg_catalog.pg_class c WHERE c.oid = ANY (${targets}) AND c.reltoastrelid <> 0
UNION ALL SELECT ${of('pg_class')}, i.indexrelid, c.oid, 'toast'
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_index i ON i.indrelid = c.reltoastrelid
  WHERE c.oid = ANY (${targets}) AND c.reltoastrelid <> 0
UNION ALL SELECT ${of('pg_constraint')}, k.oid, k.conrelid, 'constraint'
  FROM pg_catalog.pg_constraint k WHERE k.conrelid = ANY (${targets})
UNION ALL SELECT ${of('pg_attrdef')}, a.oid, a.adrelid, 'default'
  FROM pg_catalog.pg_attrdef a WHERE a.adrelid = ANY (${targets})
UNION ALL SELECT ${of('pg_trigger')}, t.oid, t.tgrelid, 'trigger'
  FROM pg_catalog.pg_trigger t WHERE t.tgrelid = ANY (${targets})
UNION ALL SELECT ${of('pg_trigger')}, t.oid, k.conrelid, 'trigger'
  FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_trigger t ON t.tgconstraint = k.oid
  WHERE k.conrelid = ANY (${targets}) AND t.tgrelid <> k.conrelid
UNION ALL SELECT ${of('pg_policy')}, p.oid, p.polrelid, 'policy'
  FROM pg_catalog.pg_policy p WHERE p.polrelid = ANY (${targets})
UNION ALL SELECT ${of('pg_rewrite')}, r.oid, r.ev_class, 'rule'
  FROM pg_catalog.pg_rewrite r WHERE r.ev_class = ANY (${targets})
UNION ALL SELECT ${of('pg_class')}, d.objid, d.refobjid,
    CASE d.deptype WHEN 'i' THEN 'identity' ELSE 'serial' END
  FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
  WHERE d.classid = ${of('pg_class')} AND d.refclassid = ${of('pg_class')}
    AND d.refobjid = ANY (${targets}) AND d.deptype IN ('a', 'i')
UNION ALL SELECT ${of('pg_statistic_ext')}, s.oid, s.stxrelid, 'statistics'
  FROM pg_catalog.pg_statistic_ext s WHERE s.stxrelid = ANY (${targets})
UNION ALL SELECT ${of('pg_publication_rel')}, p.oid, p.prrelid, 'publication'
  FROM pg_catalog.pg_publication_rel p WHERE p.prrelid = ANY (${targets})`;
}
