import { writtenBy } from '../../../sinks/publish/rows/restored.js';
import { plural } from '../../core/plural.js';
import type { Database } from '../../core/run.js';
import type { Published } from '../../db/ledger/published.js';
import { qualified } from '../../db/quote.js';
import { writersOf } from '../rollback/written-since.js';

/**
 * Of every table that a batch published how many of the rows that it wrote there were changed or deleted since, a sentence
 * each: what validations compare with what was written, they do not compare of these. Nothing is said where the ledger does
 * not know who wrote them, or where none was changed.
 */
export async function changedSince(database: Database, published: readonly Published[]): Promise<string[]> {
  const told: string[] = [];
  for (const each of published) {
    const writers = writersOf(each);
    const { inserted = null, updated = null } = each.changes ?? {};
    if (writers === undefined || inserted === null || updated === null || each.rolled_back_at !== null)
      continue;
    const { table_schema: schema, table_name: table } = each;
    const [found] = await database.query<{ n: string }>(
      `SELECT count(*) AS n FROM ${qualified(schema, table)} t WHERE ${writtenBy(writers, []).is('t')}`,
    );
    const written = inserted + updated;
    const gone = written - Number(found?.n ?? 0);
    if (gone > 0)
      told.push(
        `${gone} of ${plural(written, 'row')} that it wrote to ${schema}.${table} ${gone === 1 ? 'was' : 'were'} changed or deleted since, and ${gone === 1 ? 'is' : 'are'} not compared with what was written`,
      );
  }
  return told;
}
