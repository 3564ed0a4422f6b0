import { changesBetween } from '../../sinks/replace/changes.js';
import { type Survey, surveyReplace } from '../../sinks/replace/survey.js';
import { SluiceError } from '../core/errors.js';
import type { PgDatabase } from '../db/connect.js';
import { assertStillReplaceable } from './check.js';

/** Whether `error` says that tables are not what was surveyed. */
export function isAltered(error: unknown): error is SluiceError {
  return error instanceof SluiceError && error.code === 'catalog_changed';
}

/**
 * `error`, the window's word that the tables of `survey` were altered, with what was altered as its details. Throws the
 * refusal where they cannot be replaced any more, in the words of a check.
 */
export async function tellAltered(
  database: PgDatabase,
  survey: Survey,
  error: SluiceError,
): Promise<SluiceError> {
  const now = await surveyReplace(
    await database.session(),
    survey.tables.map(({ schema, table }) => ({ schema, table })),
  );
  assertStillReplaceable(now);
  const altered = changesBetween(survey, now);
  return altered.length === 0 ? error : error.but({ details: altered });
}
