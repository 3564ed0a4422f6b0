import { comment } from './sql.js';

/** SQL of the table's indexes (IndexFacts), those behind constraints among them, by name. */
export const indexesOf = (oid: string) => `
SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition, i.indisunique AS unique,
  CASE WHEN i.indisunique AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL THEN
    (SELECT json_agg(a.attname ORDER BY a.attname) FROM unnest(i.indkey::int2[]) WITH ORDINALITY u(attnum, at)
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.attnum WHERE u.at <= i.indnkeyatts) END AS referable,
  (i.indisvalid AND i.indisready AND i.indislive) AS valid,
  (SELECT k.conname FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid
    AND k.contype IN ('p', 'u', 'x')) AS constraint,
  i.indisreplident AS "replicaIdentity", i.indisclustered AS clustered, ts.spcname AS tablespace,
  (SELECT coalesce(json_agg(json_build_array(a.attnum, a.attstattarget) ORDER BY a.attnum), '[]')
    FROM pg_attribute a WHERE a.attrelid = i.indexrelid AND coalesce(a.attstattarget, -1) >= 0) AS statistics,
  ${comment('i.indexrelid', 'pg_class')} AS comment
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
WHERE i.indrelid = ${oid} ORDER BY c.relname`;
