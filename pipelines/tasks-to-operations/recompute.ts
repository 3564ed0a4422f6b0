import { type Database, literal, query, type Row, type Source } from 'sluice';
import { report } from 'sluice/sinks';
import { lookForTables, OPERATION_TYPE, TASK_TYPE } from './source.js';
import { AMOUNTS } from './tables.js';

/** How costs are reckoned from timers, out of the pipeline's settings. */
export interface Rules {
  /** The largest difference, in hours or in money, that is not told. */
  readonly tolerance: string;
  /** The time zone in which days begin and end. */
  readonly timezone: string;
  /** From when to when a weekday's work is no overtime: `07:30-17:00`. */
  readonly workday: string;
}

/** A part whose migrated costs are not what its timers give; amounts as text. */
export interface Difference extends Readonly<Record<string, string | null>> {
  readonly part: string;
  readonly currency: string;
  readonly migrated: string;
  readonly recomputed: string;
  readonly difference: string;
  /** What differs by more than the tolerance: `hours_ww 2.00, timers give 1.50`, … */
  readonly what: string;
}

const FORMS: Readonly<Record<keyof Rules, { readonly form: RegExp; readonly like: string }>> = {
  tolerance: { form: /^\d{1,9}(\.\d{1,4})?$/, like: '0.01' },
  timezone: { form: /^[A-Za-z][A-Za-z0-9_+/-]*$/, like: 'Europe/Istanbul' },
  workday: {
    form: /^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]|24):[0-5]\d$/,
    like: '07:30-17:00',
  },
};

/** The rules among the settings, each of which has a default. */
export function rulesOf({
  tolerance = '',
  timezone = '',
  workday = '',
}: Readonly<Record<string, string>>): Rules {
  return { tolerance, timezone, workday };
}

/** What of the settings is no rule, a sentence each. */
export function wrongRules(settings: Readonly<Record<string, string>>): { name: string; like: string }[] {
  return Object.entries(FORMS)
    .filter(([name, { form }]) => !form.test(settings[name] ?? ''))
    .map(([name, { like }]) => ({ name, like }));
}

const type = ({ app, model }: { readonly app: string; readonly model: string }) =>
  `(app_label = ${literal(app)} AND model = ${literal(model)})`;

/** What is compared. */
export interface Compared {
  /** A SELECT of the task keys that are looked at. */
  readonly keys: string;
  /** A SELECT of their costs, with task_key, currency and the amounts. */
  readonly costs: string;
}

/**
 * A SELECT of the parts whose costs are not what the finished timers of their tasks give, with the columns of
 * Difference.
 *
 * The old system's rules (samples/tasks-to-operations): a timer's time is cut into days of the time zone; on
 * Sundays it is su, on weekdays within the workday ww, all else ah. An hour costs what the person's wage rate
 * of that day says, in the currency of the task's costs, times its multiplier for ah and su. Hours and costs are
 * rounded to the hundredth per task, person and kind, then added up.
 */
export function differencesSql({ keys, costs }: Compared, { tolerance, timezone, workday }: Rules): string {
  const [from = '', to = ''] = workday.split('-');
  const zone = literal(timezone);
  const kinds = ['ww', 'ah', 'su'] as const;
  const times = { ww: '1', ah: 'after_hours_multiplier', su: 'sunday_multiplier' };
  const sums = kinds.map(
    (kind) =>
      `round(sum(${kind}) / 3600, 2) AS hours_${kind}, round(sum(${kind} / 3600 * coalesce(base_hourly * ${times[kind]}, 0)), 2) AS cost_${kind}`,
  );
  const added = kinds.map((kind) => `sum(hours_${kind}) AS hours_${kind}, sum(cost_${kind}) AS cost_${kind}`);
  const far = (column: string) => `abs(coalesce(c.${column}, 0) - coalesce(r.${column}, 0)) > ${tolerance}`;
  const said = AMOUNTS.filter((column) => column !== 'total_cost').map(
    (column) =>
      `CASE WHEN ${far(column)} THEN ${literal(`${column} `)} || coalesce(c.${column}::text, 'none') || ', timers give ' || coalesce(r.${column}, 0)::text END`,
  );
  return `WITH wanted AS MATERIALIZED (${keys}),
    cost AS MATERIALIZED (${costs}),
    rate AS MATERIALIZED (
      SELECT user_id, currency, base_hourly, after_hours_multiplier, sunday_multiplier, effective_from,
             lead(effective_from, 1, 'infinity') OVER (PARTITION BY user_id ORDER BY effective_from) AS until
      FROM machining_wagerate),
    timer AS (
      SELECT object_id AS task_key, user_id, start_time, finish_time FROM tasks_timer
      WHERE finish_time > start_time
        AND content_type_id IN (SELECT id FROM django_content_type WHERE ${type(TASK_TYPE)} OR ${type(OPERATION_TYPE)})
        AND object_id IN (SELECT key FROM wanted)),
    piece AS (
      SELECT m.task_key, m.user_id, d.day::date AS day, extract(isodow FROM d.day) AS dow,
             greatest(m.start_time, d.day AT TIME ZONE ${zone}) AS start_time,
             least(m.finish_time, (d.day + interval '1 day') AT TIME ZONE ${zone}) AS finish_time,
             (d.day + time ${literal(from)}) AT TIME ZONE ${zone} AS work_from,
             (d.day + interval ${literal(`${to.slice(0, 2)} hours ${to.slice(3)} minutes`)}) AT TIME ZONE ${zone} AS work_to
      FROM timer m CROSS JOIN LATERAL generate_series(
        date_trunc('day', m.start_time AT TIME ZONE ${zone}), m.finish_time AT TIME ZONE ${zone}, interval '1 day') d(day)),
    timed AS (
      SELECT task_key, user_id, day, dow, extract(epoch FROM finish_time - start_time) AS seconds,
             CASE WHEN dow < 6 THEN greatest(0, extract(epoch FROM least(finish_time, work_to) - greatest(start_time, work_from))) ELSE 0 END AS ww
      FROM piece),
    reckoned AS (
      SELECT t.task_key, t.user_id, r.base_hourly, r.after_hours_multiplier, r.sunday_multiplier, t.ww,
             CASE WHEN t.dow < 7 THEN t.seconds - t.ww ELSE 0 END AS ah,
             CASE WHEN t.dow = 7 THEN t.seconds ELSE 0 END AS su
      FROM timed t
      LEFT JOIN cost c ON c.task_key = t.task_key
      LEFT JOIN rate r ON r.user_id = t.user_id AND t.day >= r.effective_from AND t.day < r.until
                      AND r.currency = coalesce(c.currency, r.currency)),
    person AS (SELECT task_key, user_id, ${sums.join(', ')} FROM reckoned GROUP BY task_key, user_id),
    recomputed AS (
      SELECT task_key, ${added.join(', ')}, sum(cost_ww + cost_ah + cost_su) AS total_cost FROM person GROUP BY task_key)
    SELECT 'PT-' || coalesce(c.task_key, r.task_key) AS part, coalesce(c.currency, '') AS currency,
           coalesce(c.total_cost::text, 'none') AS migrated, coalesce(r.total_cost, 0)::text AS recomputed,
           (coalesce(r.total_cost, 0) - coalesce(c.total_cost, 0))::text AS difference,
           concat_ws('; ', ${said.join(', ')}) AS what
    FROM cost c FULL JOIN recomputed r ON r.task_key = c.task_key
    WHERE ${AMOUNTS.map(far).join(' OR ')}
    ORDER BY abs(coalesce(r.total_cost, 0) - coalesce(c.total_cost, 0)) DESC, 1`;
}

/** Why there are no wage rates to reckon with, as a sentence; undefined where there are some. */
export async function lackOfRates(database: Database): Promise<string | undefined> {
  const [found] = await database.query<{ there: boolean }>(
    "SELECT to_regclass('machining_wagerate') IS NOT NULL AS there",
  );
  if (found?.there !== true) return 'there is no table machining_wagerate';
  const [some] = await database.query<{ some: boolean }>(
    'SELECT EXISTS (SELECT FROM machining_wagerate) AS some',
  );
  return some?.some === true ? undefined : 'the table machining_wagerate is empty';
}

/** The tasks that this run migrates, as the old tables have their costs. */
function toBeMigrated({ parts }: { readonly parts: boolean }): Compared {
  const keys = `SELECT t.key FROM machining_task t${parts ? ' WHERE NOT EXISTS (SELECT FROM tasks_part p WHERE p.task_key = t.key)' : ''}`;
  const costs = `SELECT task_id AS task_key, currency, ${AMOUNTS.join(', ')} FROM machining_jobcostagg WHERE task_id IN (SELECT key FROM wanted)`;
  return { keys, costs };
}

/** The differences as an input; nothing where costs are not to be recomputed, one row that says why where they cannot be. */
export const recomputed: Source<Difference> = query<Difference>(
  async ({ database, settings }) => {
    if (settings.recompute === 'off' || wrongRules(settings).length > 0)
      return `SELECT ${DIFFERENCE.map((column) => `'' AS ${column}`).join(', ')} WHERE false`;
    const lack = await lackOfRates(database);
    return lack === undefined
      ? differencesSql(toBeMigrated(await lookForTables(database)), rulesOf(settings))
      : `SELECT ${DIFFERENCE.map((column) => `${literal(column === 'what' ? `not compared: ${lack}` : '')} AS ${column}`).join(', ')}`;
  },
  { name: 'costs recomputed from timers' },
);

const DIFFERENCE = ['part', 'currency', 'migrated', 'recomputed', 'difference', 'what'] as const;

/** The report of the differences. */
export const differences = (settings: Readonly<Record<string, string>>) =>
  report<Difference & Row>('recomputed costs', () => {
    let parts = 0;
    let lack: string | undefined;
    return {
      columns: DIFFERENCE,
      each({ part, what }) {
        if (part === '') lack = what;
        else parts += 1;
      },
      summary: () => [
        settings.recompute === 'off'
          ? 'not recomputed (recompute=off)'
          : lack !== undefined
            ? `the costs were ${lack}: nothing is known of whether they are what the timers give`
            : parts === 0
              ? `no part's costs differ from what its timers give by more than ${settings.tolerance}`
              : `${parts === 1 ? "one part's costs differ" : `the costs of ${parts} parts differ`} from what the timers give by more than ${settings.tolerance}; they are migrated as they are`,
      ],
    };
  });
