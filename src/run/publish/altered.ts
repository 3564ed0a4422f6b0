import { changesBetween } from '../../../sinks/publish/replace/changes.js';
import { surveyReplace } from '../../../sinks/publish/replace/survey.js';
import type { Survey } from '../../../sinks/publish/replace/surveyed.js';
import { refused } from '../../core/errors/author.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import { EVENT_TRIGGERS, readEventTriggers } from '../../db/catalog/additions.js';
import { unlike } from '../../db/catalog/likeness.js';
import type { PgDatabase } from '../../db/connect.js';
import { assertStillReplaceable } from '../check/check.js';
import type { LiveTable } from '../given/tables.js';

/** Whether `error` says that tables are not what was surveyed. */
export function isAltered(error: unknown): error is SluiceError {
  return error instanceof SluiceError && error.code === 'catalog_changed';
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
  if (!(error instanceof SluiceError) || error.code !== 'not_alike') return undefined;
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
  return refused(
    'event_trigger',
    `event triggers change ${table} as it is published (${differing[0]}${differing.length > 1 ? ', …' : ''})`,
    {
      ...error.facts,
      details: [...differing, ...triggers.map((each) => `event trigger ${each}`)],
      next: EVENT_TRIGGERS,
    },
  );
}

/**
 * `error`, the window's word that the tables of `survey` were altered, with what was altered as its details. Throws the
 * refusal where they cannot be replaced any more, in the words of a check; `tables` are those of a job that does.
 */
export async function tellAltered(
  database: PgDatabase,
  survey: Survey,
  error: SluiceError,
  tables: readonly LiveTable[] = [],
): Promise<SluiceError> {
  const client = await database.session();
  const now = await surveyReplace(client, survey.targets);
  await assertStillReplaceable(client, now, tables);
  const altered = changesBetween(survey, now);
  return altered.length === 0 ? error : error.but({ details: altered });
}
