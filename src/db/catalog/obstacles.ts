import type { Client } from 'pg';
import { ownObjects } from './own.js';
import { PREPARED_BEHIND } from './prepared.js';
import { askCatalog } from './session.js';

/** A circumstance of a table that a swap cannot carry over; `code` says which. */
export interface Obstacle {
  readonly target: number;
  readonly code:
    | 'partition'
    | 'inheritance'
    | 'inherited'
    | 'typed'
    | 'extension'
    | 'extension_part'
    | 'publication'
    | 'publication_of_all'
    | 'subscription'
    | 'security_label'
    | 'disabled_key'
    | 'whole_row'
    | 'statistics_name'
    | 'not_owner'
    | 'schema_create'
    | 'database_create'
    | 'grantor'
    | 'prepared_transaction';
  readonly object: string;
}

const OBSTACLES = `
WITH target AS (SELECT c.*, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid = ANY ($1::oid[])),
own AS MATERIALIZED (${ownObjects('$1::oid[]')})
SELECT t.oid AS target, 'partition' AS code,
  format('ALTER TABLE %1$s DETACH PARTITION %2$s; replace it; ALTER TABLE %1$s ATTACH PARTITION %2$s %3$s',
    i.inhparent::regclass, t.oid::regclass, pg_get_expr(t.relpartbound, t.oid)) AS object
  FROM target t JOIN pg_inherits i ON i.inhrelid = t.oid WHERE t.relispartition
UNION ALL SELECT t.oid, 'inheritance', i.inhparent::regclass::text
  FROM target t JOIN pg_inherits i ON i.inhrelid = t.oid WHERE NOT t.relispartition
UNION ALL SELECT t.oid, 'inherited', i.inhrelid::regclass::text
  FROM target t JOIN pg_inherits i ON i.inhparent = t.oid WHERE t.relkind = 'r'
UNION ALL SELECT oid, 'typed', format_type(reloftype, NULL) FROM target WHERE reloftype <> 0
UNION ALL SELECT own.target, CASE d.deptype WHEN 'e' THEN 'extension' ELSE 'extension_part' END,
  pg_describe_object(own.classid, own.objid, 0) || ' (' || pg_describe_object(d.refclassid, d.refobjid, 0) || ')'
  FROM own JOIN pg_depend d ON d.classid = own.classid AND d.objid = own.objid WHERE d.deptype IN ('e', 'x')
UNION ALL SELECT t.oid, 'publication', p.pubname FROM target t JOIN pg_publication_rel r ON r.prrelid = t.oid
  JOIN pg_publication p ON p.oid = r.prpubid
UNION ALL SELECT t.oid, 'publication', p.pubname FROM target t
  JOIN pg_publication_namespace r ON r.pnnspid = t.relnamespace
  JOIN pg_publication p ON p.oid = r.pnpubid WHERE t.relpersistence = 'p'
UNION ALL SELECT t.oid, 'publication_of_all', p.pubname FROM target t JOIN pg_publication p ON p.puballtables
  WHERE t.relpersistence = 'p'
UNION ALL SELECT r.srrelid, 'subscription', coalesce(s.subname, r.srsubid::text) FROM pg_subscription_rel r
  LEFT JOIN pg_subscription s ON s.oid = r.srsubid WHERE r.srrelid = ANY ($1::oid[])
UNION ALL SELECT own.target, 'security_label', pg_describe_object(l.classoid, l.objoid, l.objsubid)
  FROM own JOIN pg_seclabel l ON l.classoid = own.classid AND l.objoid = own.objid WHERE own.part <> 'serial'
UNION ALL SELECT DISTINCT t.oid, 'disabled_key', k.conname FROM target t
  JOIN pg_constraint k ON t.oid IN (k.conrelid, k.confrelid) JOIN pg_trigger g ON g.tgconstraint = k.oid
  WHERE g.tgisinternal AND g.tgenabled <> 'O'
-- LIKE does not copy a CHECK that names the whole row; the parsed expression has it as column 0.
UNION ALL SELECT k.conrelid, 'whole_row', k.conname FROM pg_constraint k
  WHERE k.conrelid = ANY ($1::oid[]) AND k.contype = 'c' AND k.conbin::text ~ '\\{VAR :varno 1 :varattno 0 '
UNION ALL SELECT s.stxrelid, 'statistics_name', s.stxname FROM pg_statistic_ext s
  WHERE s.stxrelid = ANY ($1::oid[]) AND EXISTS (SELECT FROM pg_statistic_ext o JOIN target a ON a.oid = o.stxrelid
    JOIN target b ON b.oid = s.stxrelid AND b.relnamespace = a.relnamespace
    WHERE o.stxname = s.stxname AND o.oid <> s.oid)
UNION ALL SELECT oid, 'not_owner', pg_get_userbyid(relowner) FROM target
  WHERE NOT pg_has_role(current_user, relowner, 'USAGE')
UNION ALL SELECT oid, 'schema_create', nspname FROM target
  WHERE NOT has_schema_privilege(relnamespace, 'CREATE')
UNION ALL SELECT oid, 'database_create', current_database() FROM target
  WHERE NOT has_database_privilege(current_database(), 'CREATE')
UNION ALL SELECT DISTINCT t.oid, 'grantor', pg_get_userbyid(x.grantor) FROM target t CROSS JOIN LATERAL (
    SELECT (aclexplode(t.relacl)).grantor
    UNION SELECT (aclexplode(y.typacl)).grantor FROM pg_type y WHERE y.oid = t.reltype
    UNION SELECT (aclexplode(a.attacl)).grantor FROM pg_attribute a WHERE a.attrelid = t.oid) x
  WHERE x.grantor <> t.relowner AND (NOT pg_has_role(current_user, x.grantor, 'MEMBER')
    OR NOT has_schema_privilege(x.grantor, t.relnamespace, 'USAGE'))
UNION ALL SELECT l.relation, 'prepared_transaction', coalesce(x.gid, 'unknown') FROM pg_locks l
  LEFT JOIN ${PREPARED_BEHIND}
  WHERE l.pid IS NULL AND l.locktype = 'relation' AND l.relation = ANY ($1::oid[])
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY 1, 2, 3`;

/** What stands against swapping the tables, besides their dependents. Call inside withCatalog. */
export async function readObstacles(client: Client, targets: readonly number[]): Promise<Obstacle[]> {
  return (await askCatalog<Obstacle>(client, OBSTACLES, [targets])).rows;
}
