import type { Client } from 'pg';
import { literal } from '../quote.js';
import { ownObjects } from './own.js';
import { askCatalog } from './session.js';
import { columnOptions, GUARD_TRIGGER_PREFIX } from './sql.js';

const of = (catalog: string) => `'pg_catalog.${catalog}'::pg_catalog.regclass`;
/** The tuple as jsonb without what changes by itself. */
const tuple = (alias: string, ...volatile: string[]) =>
  `(pg_catalog.to_jsonb(${alias})${volatile.map((key) => ` - ${literal(key)}`).join('')})::text`;
const relation = (alias: string) =>
  `ROW(${[
    'oid',
    'relname',
    'relnamespace',
    'reltype',
    'reloftype',
    'relowner',
    'relam',
    'reltablespace',
    'relpersistence',
    'relkind',
    'relrowsecurity',
    'relforcerowsecurity',
    'relreplident',
    'relispartition',
    'relacl::text',
    'reloptions',
  ]
    .map((column) => `${alias}.${column}`)
    .join(', ')})::text`;

/**
 * SQL for one text: the md5 of every catalog row that describes the tables `oids` or something that depends
 * on them, by OID. Equal fingerprints mean that what was surveyed still holds. The load's own traces (guard
 * triggers, staging's default on a serial's sequence, foreign keys on the way) are no part of it. Runs with
 * any search_path; a few milliseconds.
 */
export function fingerprintSql(oids: readonly number[]): string {
  return sqlFor(`ARRAY[${oids.map((oid) => Math.trunc(oid)).join(', ')}]::oid[]`);
}

/** The fingerprint of the tables as they are now: what fingerprintSql gives. Call inside withCatalog. */
export async function fingerprintOf(client: Client, oids: readonly number[]): Promise<string> {
  const { rows } = await askCatalog<{ md5: string }>(client, sqlFor('$1::oid[]'), [oids]);
  return rows[0]?.md5 ?? '';
}

/** `list` is SQL for an oid[]. */
function sqlFor(list: string): string {
  const id = `ANY (${list})`;
  return `WITH own AS MATERIALIZED (${ownObjects(list)}),
dependent AS MATERIALIZED (SELECT DISTINCT d.classid, d.objid FROM own
  JOIN pg_catalog.pg_depend d ON d.refclassid = own.classid AND d.refobjid = own.objid
  WHERE own.part <> 'serial' AND NOT EXISTS (SELECT FROM own o WHERE o.classid = d.classid AND o.objid = d.objid)),
fact(text) AS (
SELECT ${relation('c')} FROM own JOIN pg_catalog.pg_class c ON c.oid = own.objid WHERE own.classid = ${of('pg_class')}
UNION ALL SELECT ROW(a.attrelid, a.attname, a.attnum, a.atttypid, a.atttypmod, a.attnotnull, a.attcollation, a.attidentity,
  a.attgenerated, a.attstorage, a.attcompression, a.attstattarget, ${columnOptions('a')}, a.attacl::text)::text
  FROM own JOIN pg_catalog.pg_attribute a ON a.attrelid = own.objid
  WHERE own.classid = ${of('pg_class')} AND own.part IN ('table', 'index') AND a.attnum > 0
UNION ALL SELECT ${tuple('x')} FROM pg_catalog.pg_attrdef x WHERE x.adrelid = ${id}
UNION ALL SELECT ${tuple('x')} FROM pg_catalog.pg_constraint x WHERE x.conrelid = ${id}
UNION ALL SELECT ${tuple('x', 'indcheckxmin')} FROM pg_catalog.pg_index x WHERE x.indrelid = ${id}
UNION ALL SELECT ${tuple('x')} FROM pg_catalog.pg_trigger x
  WHERE x.tgrelid = ${id} AND NOT starts_with(x.tgname, ${literal(GUARD_TRIGGER_PREFIX)})
UNION ALL SELECT ROW(x.oid, x.tgenabled)::text FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_trigger x ON x.tgconstraint = k.oid
  WHERE (k.conrelid = ${id} OR k.confrelid = ${id}) AND x.tgenabled <> 'O'
UNION ALL SELECT ${tuple('x')} FROM pg_catalog.pg_policy x WHERE x.polrelid = ${id}
UNION ALL SELECT ${tuple('x')} FROM pg_catalog.pg_rewrite x WHERE x.ev_class = ${id}
UNION ALL SELECT ${tuple('x')} FROM pg_catalog.pg_statistic_ext x WHERE x.stxrelid = ${id}
UNION ALL SELECT ${tuple('x')} FROM own JOIN pg_catalog.pg_sequence x ON x.seqrelid = own.objid
  WHERE own.part IN ('serial', 'identity')
UNION ALL SELECT ${tuple('x')} FROM pg_catalog.pg_inherits x WHERE x.inhrelid = ${id} OR x.inhparent = ${id}
UNION ALL SELECT ${tuple('x')} FROM own
  JOIN pg_catalog.pg_description x ON x.classoid = own.classid AND x.objoid = own.objid
UNION ALL SELECT ${tuple('x')} FROM own
  JOIN pg_catalog.pg_seclabel x ON x.classoid = own.classid AND x.objoid = own.objid
UNION ALL SELECT ${tuple('x')} FROM own JOIN pg_catalog.pg_depend x ON x.classid = own.classid AND x.objid = own.objid
  WHERE x.deptype IN ('e', 'x')
UNION ALL SELECT ${tuple('x')} FROM pg_catalog.pg_publication_rel x WHERE x.prrelid = ${id}
UNION ALL SELECT ${tuple('x')} FROM pg_catalog.pg_publication_namespace x
  JOIN pg_catalog.pg_class c ON c.relnamespace = x.pnnspid WHERE c.oid = ${id}
UNION ALL SELECT ${tuple('x')} FROM pg_catalog.pg_publication x WHERE x.puballtables
UNION ALL SELECT x.srsubid::text FROM pg_catalog.pg_subscription_rel x WHERE x.srrelid = ${id}
UNION ALL SELECT ROW(d.classid, d.objid)::text FROM dependent d
UNION ALL SELECT ${tuple('x')} || ${relation('c')} FROM dependent d JOIN pg_catalog.pg_rewrite x ON x.oid = d.objid
  JOIN pg_catalog.pg_class c ON c.oid = x.ev_class WHERE d.classid = ${of('pg_rewrite')}
UNION ALL SELECT ${tuple('x')} FROM dependent d JOIN pg_catalog.pg_constraint x ON x.oid = d.objid
  WHERE d.classid = ${of('pg_constraint')}
UNION ALL SELECT ${tuple('x')} FROM dependent d JOIN pg_catalog.pg_proc x ON x.oid = d.objid
  WHERE d.classid = ${of('pg_proc')}
UNION ALL SELECT ${tuple('x')} FROM dependent d JOIN pg_catalog.pg_policy x ON x.oid = d.objid
  WHERE d.classid = ${of('pg_policy')}
UNION ALL SELECT ${tuple('x')} FROM dependent d JOIN pg_catalog.pg_description x
  ON x.classoid = d.classid AND x.objoid = d.objid)
SELECT pg_catalog.md5(coalesce(pg_catalog.string_agg(text, E'\\n' ORDER BY text COLLATE "C"), '')) FROM fact`;
}
