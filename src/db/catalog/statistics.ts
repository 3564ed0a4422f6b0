import type { Client } from 'pg';
import type { StatisticsFacts } from './facts.js';
import { askCatalog } from './session.js';
import { comment } from './sql.js';

const STATISTICS = `
SELECT n.nspname AS schema, s.stxname AS name, pg_get_statisticsobjdef(s.oid) AS definition,
  coalesce(s.stxstattarget, -1)::int AS target, pg_get_userbyid(s.stxowner) AS owner,
  ${comment('s.oid', 'pg_statistic_ext')} AS comment
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE s.stxrelid = $1
ORDER BY n.nspname, s.stxname`;

/** The extended statistics objects on the table, whichever schema they are in. */
export async function readStatistics(client: Client, oid: number): Promise<StatisticsFacts[]> {
  return (await askCatalog<StatisticsFacts>(client, STATISTICS, [oid])).rows;
}
