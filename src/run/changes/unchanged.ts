import { differs, sameKey } from '../../../sinks/publish/rows/sql.js';
import { deletesGone, type RowTableFacts, rowObjects } from '../../../sinks/publish/rows/target.js';
import type { Database } from '../../core/run.js';
import type { PublishMode } from '../../core/target.js';
import { primaryKey } from '../../db/catalog/primary-key.js';
import { ident, qualified } from '../../db/quote.js';
import type { LiveTable } from '../given/tables.js';
import type { Job } from '../job/job.js';
import type { Staged } from './staging.js';
import type { Surveyed } from './survey.js';
import { isMissing, planViews } from './views.js';

/** Rows compared first: where a table has changed at all, one of them nearly always tells. */
const SAMPLE = 500;

/**
 * Whether a publish would change nothing: staging holds exactly what live holds, row for row, in every table
 * that is replaced; no row for one that is added to; only rows as live has them for one that is merged, synced or
 * patched; and no view is to be made. It gives up at the first difference; of a replaced table: the number of rows, then a sample by
 * primary key, then everything.
 */
export async function isUnchanged(job: Job, staged: Staged, rows: Surveyed['rows']): Promise<boolean> {
  const { database } = job.options;
  // An empty load into tables that are only added to is one question; replaced ones take longer.
  const quickFirst = [...job.tables].sort((a, b) => COST[a.target.mode] - COST[b.target.mode]);
  for (const table of quickFirst) {
    const place = staged.places.get(table.target) as { schema: string; table: string };
    const facts = rows.get(table.target);
    if (facts !== undefined) {
      if (!(await changesNoRow(database, facts, job.names))) return false;
      continue;
    }
    const key = await primaryKey(database, table);
    if (key.length === 0) return false;
    if (!(await same(database, table, qualified(place.schema, place.table), key))) return false;
  }
  return job.tables.length > 0 && !(await planViews(job)).some(isMissing);
}

const COST: Readonly<Record<PublishMode, number>> = { append: 0, patch: 1, merge: 1, sync: 1, replace: 2 };

/** Whether every staged row of a merge, sync or patch is in live as it is, and of a sync no other; for an append, whether there is none. */
async function changesNoRow(database: Database, facts: RowTableFacts, names: Job['names']): Promise<boolean> {
  const { live, staging } = rowObjects(facts.target, { staging: names.staging, undo: names.old });
  const { mode } = facts.target;
  const partner = `SELECT FROM ${live} l WHERE ${sameKey(facts.key, 'l', 's')}`;
  const equal = facts.values.length === 0 ? '' : ` AND NOT (${differs(facts.values, 'l', 's')})`;
  const changes =
    mode === 'append'
      ? `EXISTS (SELECT FROM ${staging})`
      : `EXISTS (SELECT FROM ${staging} s WHERE NOT EXISTS (${partner}${equal}))`;
  const gone = deletesGone(facts.target)
    ? ` OR EXISTS (SELECT FROM ${live} l WHERE NOT EXISTS (SELECT FROM ${staging} s WHERE ${sameKey(facts.key, 'l', 's')}))`
    : '';
  const [row] = await database.query<{ changes: boolean }>(`SELECT ${changes}${gone} AS changes`);
  return row?.changes === false;
}

async function same(
  database: Database,
  table: LiveTable,
  staged: string,
  key: readonly string[],
): Promise<boolean> {
  const live = qualified(table.schema, table.table);
  const on = key.map((column) => `l.${ident(column)} = s.${ident(column)}`).join(' AND ');
  // *<> compares the rows' bytes, so it also knows types without equality, and 1.0 is not 1.00.
  const [sample] = await database.query<{ differs: boolean }>(
    `SELECT EXISTS (SELECT FROM (SELECT * FROM ${staged} LIMIT ${SAMPLE}) s LEFT JOIN ONLY ${live} l ON ${on}
                    WHERE l.ctid IS NULL OR l.* *<> s.*) AS differs`,
  );
  if (sample?.differs !== false) return false;
  const [counts] = await database.query<{ equal: boolean }>(
    `SELECT (SELECT count(*) FROM ${staged}) = (SELECT count(*) FROM ONLY ${live}) AS equal`,
  );
  if (counts?.equal !== true) return false;
  // As many rows on both sides and a partner for each: then the partners are all there are.
  const [all] = await database.query<{ differs: boolean }>(
    `SELECT EXISTS (SELECT FROM ${staged} s LEFT JOIN ONLY ${live} l ON ${on}
                    WHERE l.ctid IS NULL OR l.* *<> s.*) AS differs`,
  );
  return all?.differs === false;
}
