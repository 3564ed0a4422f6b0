import { changesBetween } from '../../../../sinks/publish/replace/changes.js';
import { surveyReplace } from '../../../../sinks/publish/replace/survey.js';
import type { Survey } from '../../../../sinks/publish/replace/surveyed.js';
import { publishErrors } from '../../../core/errors/catalogue/publish.js';
import { isError } from '../../../core/errors/is-error.js';
import type { SluiceError } from '../../../core/errors/sluice-error.js';
import { readEventTriggers } from '../../../db/catalog/additions.js';
import { unlike } from '../../../db/catalog/likeness.js';
import type { PgDatabase } from '../../../db/connect.js';

/** SQLSTATE class 42: the statement of the window names something that is not there, or is of another type. */
export const isMisfit = (error: unknown): error is SluiceError =>
  isError(error, 'publish') && error.facts.sqlstate?.startsWith('42') === true;

/** Whether `error` says that tables are not what was surveyed. */
export function isAltered(error: unknown): error is SluiceError {
  return isError(error, 'catalog_changed');
}

/**
 * The refusal of a new table that is not like the one it replaces, with what differs and the event triggers that fire
 * here; undefined for any other error.
 */
export async function tellUnlike(
  database: PgDatabase,
  { tables, likeness }: Survey,
  error: unknown,
): Promise<SluiceError | undefined> {
  if (!isError(error, 'not_alike')) return undefined;
  const { table, details = [] } = error.facts;
  const live = tables.find((each) => `${each.schema}.${each.table}` === table);
  const was = likeness.find(({ oid }) => oid === live?.oid)?.lines ?? [];
  const differing = unlike(was, details);
  const triggers = await readEventTriggers(await database.session());
  if (triggers.length === 0)
    return error.but({
      details: differing,
      next: 'please report this; nothing can be published that would lose these',
    });
  return publishErrors.event_trigger.published(
    { table: table ?? 'a table', first: `${differing[0]}${differing.length > 1 ? ', …' : ''}` },
    { ...error.facts, details: [...differing, ...triggers.map((each) => `event trigger ${each}`)] },
  );
}

/**
 * `error`, the window's word that the tables of `survey` were altered, with what was altered as its details. Throws what
 * `assertReplaceable` throws where they cannot be replaced any more.
 */
export async function tellAltered(
  database: PgDatabase,
  survey: Survey,
  error: SluiceError,
  assertReplaceable: (now: Survey) => Promise<void>,
): Promise<SluiceError> {
  const client = await database.session();
  const now = await surveyReplace(client, survey.targets);
  await assertReplaceable(now);
  const altered = changesBetween(survey, now);
  return altered.length === 0 ? error : error.but({ details: altered });
}
