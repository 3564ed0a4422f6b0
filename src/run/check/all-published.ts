import type { Finding } from '../../core/pipeline.js';
import type { Job } from '../job/job.js';

/**
 * Warns where a publication FOR ALL TABLES has the tables of batches and of the ledger in it, too: a subscriber that lacks
 * them stops at the first row of theirs. Readers of the log that take tables as they come may have it so.
 */
export async function allPublishedFindings({ options: { database } }: Job): Promise<Finding[]> {
  const found = await database.query<{ name: string }>(
    'SELECT pubname AS name FROM pg_catalog.pg_publication WHERE puballtables ORDER BY 1',
  );
  return found.map(({ name }) => ({
    severity: 'warning',
    message: `publication ${name} is FOR ALL TABLES: Sluice's own tables are published as well, and a subscription that lacks them stops`,
    next: 'where it has subscriptions, let it name their tables or schemas instead',
  }));
}
