import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Row } from '../../src/core/row.js';
import type { Query } from './database.js';

/** How the rejects of a batch differ from the bad rows that the generator planted. */
export interface Compared {
  readonly planted: number;
  /** Planted rows that were not rejected, or for another reason: `clients,22,bad_date`, and what was found. */
  readonly missed: readonly string[];
  /** Rows that were rejected and are not planted. */
  readonly unexpected: readonly string[];
}

/** Compares the rejects of `batch` with the `planted.csv` in `folder`, row by row, by file, line and reason. */
export async function compareRejects(query: Query, batch: string, folder: string): Promise<Compared> {
  const lines = (await readFile(join(folder, 'planted.csv'), 'utf8')).trim().split('\n').slice(1);
  const planted = new Map(
    lines.map((text) => {
      const [file, line, reason] = text.split(',') as [string, string, string];
      return [`${file},${line}`, reason] as const;
    }),
  );
  const rejects = await query<Row & { input: string; line: string; reason: string }>(
    'SELECT input, line::text AS line, reason FROM sluice.migration_reject WHERE batch_id = $1 ORDER BY number',
    [batch],
  );
  const found = new Map(
    rejects.map(({ input, line, reason }) => [`${basename(input, '.csv')},${line}`, reason] as const),
  );
  return {
    planted: planted.size,
    missed: [...planted]
      .filter(([at, reason]) => found.get(at) !== reason)
      .map(([at, reason]) => `${at},${reason}: ${found.get(at) ?? 'not rejected'}`),
    unexpected: [...found].filter(([at]) => !planted.has(at)).map(([at, reason]) => `${at},${reason}`),
  };
}
