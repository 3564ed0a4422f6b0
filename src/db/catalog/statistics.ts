import { comment } from './sql.js';

/** SQL of the extended statistics objects on the table (StatisticsFacts), whichever schema they are in. */
export const statisticsOf = (oid: string) => `
SELECT n.nspname AS schema, s.stxname AS name, pg_get_statisticsobjdef(s.oid) AS definition,
  coalesce(s.stxstattarget, -1)::int AS target, pg_get_userbyid(s.stxowner) AS owner,
  ${comment('s.oid', 'pg_statistic_ext')} AS comment
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE s.stxrelid = ${oid}
ORDER BY n.nspname, s.stxname`;
