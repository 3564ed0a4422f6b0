import type { Finding } from '../../core/pipeline.js';
import { idents, qualified } from '../../db/quote.js';
import type { Job } from '../job/job.js';

/** Looking through less than this takes no time worth a word, even once for every row. */
const WORTH_SAYING_BYTES = 1 << 20;

const UNINDEXED = `
SELECT n.nspname AS schema, c.relname AS table, pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY w.place) AS columns
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL pg_catalog.unnest(k.conkey) WITH ORDINALITY AS w (attnum, place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = w.attnum
WHERE k.contype = 'f' AND k.confrelid = $1 AND pg_catalog.pg_relation_size(c.oid) >= $2
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL
    AND (i.indkey::pg_catalog.int2[])[0:pg_catalog.cardinality(k.conkey) - 1] OPERATOR(pg_catalog.@>) k.conkey)
GROUP BY k.oid, n.nspname, c.relname ORDER BY 1, 2, 3`;

/**
 * Warns where rows are added to a table that others refer to by a key that nothing indexes: to take the rows
 * away again, PostgreSQL looks through the whole of the other table for each of them, so that a rollback of a
 * hundred thousand rows takes hours.
 */
export async function slowUndoFindings(job: Job): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { schema, table, oid, target } of job.tables) {
    if (target.mode === 'replace' || target.mode === 'patch') continue;
    const found = await job.options.database.query<{ schema: string; table: string; columns: string[] }>(
      UNINDEXED,
      [oid, WORTH_SAYING_BYTES],
    );
    for (const child of found)
      findings.push({
        severity: 'warning',
        message: `a rollback would be slow: for every row that it takes away from ${schema}.${table}, the server looks through all of ${child.schema}.${child.table}, for nothing indexes its foreign key (${child.columns.join(', ')})`,
        next: `CREATE INDEX CONCURRENTLY ON ${qualified(child.schema, child.table)} (${idents(child.columns)})`,
      });
  }
  return findings;
}
