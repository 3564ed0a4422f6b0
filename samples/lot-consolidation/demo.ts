import { readFile } from 'node:fs/promises';
import { FILES } from './generate.js';

/** The demo of lot-consolidation: the old system with the migration guide's own example in it. */
export const demo = {
  about: 'The old LOT system: LOTs 63, 64 and 65 are of one line, model and month, and so are others.',
  async prepare(query: (sql: string) => Promise<unknown>): Promise<void> {
    // Roles are shared by all databases, and stay.
    for (const file of ['schema.sql', 'data.sql']) await query(await readFile(new URL(file, FILES), 'utf8'));
  },
  look: [
    {
      title: 'LOTs',
      sql: `SELECT l.id, l.lot_number, count(s.id)::int AS serials, min(s.serial_number COLLATE "C") AS first, max(s.serial_number COLLATE "C") AS last
            FROM lots l LEFT JOIN serials s ON s.lot_id = l.id GROUP BY l.id ORDER BY l.id`,
    },
  ],
};
