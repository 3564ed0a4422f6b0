import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fill } from '../../samples/lot-consolidation/generate.js';
import type { TestDatabase } from './database.js';
import { contents, lotSystem } from './lots.js';

/** A generated system, with LOTs that stay as they are for every reason in between, and one without serials. */
export async function filledSystem(t: TestContext, serials: number, seed: number): Promise<TestDatabase> {
  const database = await lotSystem(t, { data: false });
  const client = await database.connect();
  await fill(client, { serials, seed });
  await database.query(`
    UPDATE lots SET production_line_id = NULL WHERE id % 97 = 3;
    UPDATE lots SET product_model_id = NULL WHERE id % 89 = 5 AND production_line_id IS NOT NULL;
    UPDATE lots SET lot_number = 'WRONG-' || id WHERE id % 83 = 7;
    DELETE FROM inspections;
    DELETE FROM serials WHERE lot_id IN (SELECT id FROM lots WHERE id % 71 = 9);
    ANALYZE`);
  return database;
}

/** What a run leaves: both tables, accounts, reports, and the backup file. */
export async function leftBy(database: TestDatabase, backups: string) {
  const [batch] = await database.query<{ accounting: { sinks: { sink: string }[] }[] }>(
    `SELECT total_records, success_count, error_count, skip_count, accounting, reports FROM sluice.migration_batch WHERE id = 1`,
  );
  for (const { sinks } of batch?.accounting ?? []) sinks.sort((a, b) => a.sink.localeCompare(b.sink));
  const [file] = readdirSync(backups).filter((name) => name.endsWith('.json'));
  const { lots, serials } = JSON.parse(readFileSync(join(backups, file as string), 'utf8'));
  return { ...(await contents(database)), batch, lots, serials };
}
