import { readFile } from 'node:fs/promises';
import { FILES } from './generate.js';

/** The demo of recipe-snapshots: a bakery's old production runs, and one that has its snapshot already. */
export const demo = {
  about:
    'A bakery: twelve production runs, one of which has a snapshot of its recipe; two recipes and an ingredient were deleted.',
  async prepare(query: (sql: string) => Promise<unknown>): Promise<void> {
    for (const file of ['schema.sql', 'data.sql']) await query(await readFile(new URL(file, FILES), 'utf8'));
  },
  look: [
    {
      title: 'production runs with their snapshots',
      sql: `SELECT r.id AS run, c.name AS recipe, r.produced_at::text, s.id AS snapshot, s.snapshot_date::text,
                   CASE WHEN s.is_backfilled THEN '(approximated)' END AS label
            FROM production_runs r LEFT JOIN recipes c ON c.id = r.recipe_id LEFT JOIN recipe_snapshots s ON s.id = r.recipe_snapshot_id
            ORDER BY r.id`,
    },
  ],
};
