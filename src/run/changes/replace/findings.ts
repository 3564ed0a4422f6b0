import type { Survey } from '../../../../sinks/publish/replace/surveyed.js';
import type { Finding } from '../../../core/pipeline.js';
import type { PgDatabase } from '../../../db/connect.js';
import { assertChecked } from '../../check/findings.js';
import type { Refused } from '../../given/publish-plan.js';
import type { LiveTable } from '../../given/tables.js';
import { withSync } from './sync-instead.js';

/** What may keep OIDs of the tables and could not be asked. */
export function unreadFindings({ keptOids }: Survey): Finding[] {
  return keptOids.unread.map((column) => ({
    severity: 'warning',
    message: `not looked through for OIDs of the tables that are replaced, which it may keep as data: ${column}`,
    next: 'see to it that no row there names them, or that such rows are corrected afterwards',
  }));
}

/** Why tables cannot be replaced, as a check says it. */
export function refusalFindings(refused: readonly Refused[]): Finding[] {
  return refused.map((refusal) => ({
    severity: 'error',
    message:
      refusal.object === refusal.table
        ? `${refusal.table} cannot be replaced: ${refusal.reason}`
        : `${refusal.table} cannot be replaced: ${refusal.object}: ${refusal.reason}`,
    next: refusal.next,
  }));
}

/** Throws, in the words of a check, where the surveyed tables cannot be replaced; `tables` are those of a job that does. */
export async function assertStillReplaceable(
  database: PgDatabase,
  survey: Survey,
  tables: readonly LiveTable[] = [],
): Promise<void> {
  const refused = await withSync(await database.session(), survey.refusals, tables);
  assertChecked({ findings: refusalFindings(refused).map((finding) => ({ name: 'publishing', finding })) });
}
