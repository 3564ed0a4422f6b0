import type { Client } from 'pg';
import type { Refusal } from '../../../../sinks/publish/replace/refusals.js';
import { surveyRows } from '../../../../sinks/publish/rows/survey.js';
import type { Flags } from '../../../core/command.js';
import { SluiceError } from '../../../core/errors/sluice-error.js';
import { formatList } from '../../../core/list.js';
import { again, type NextStep, Suggestion } from '../../../core/next.js';
import { readRowTable } from '../../../db/catalog/row-tables.js';
import type { Refused } from '../../given/publish-plan.js';
import type { LiveTable } from '../../given/tables.js';

/**
 * Refusals of a replace with a publish by differences among what can be done, wherever what stands in the way would not
 * if the table stayed, and the catalog and the role's rights allow it. Reads only.
 */
export async function withSync(
  client: Client,
  refusals: readonly Refusal[],
  tables: readonly LiveTable[],
): Promise<Refused[]> {
  const known = new Map<string, readonly NextStep[]>();
  const refused: Refused[] = [];
  for (const { stays, next, ...refusal } of refusals) {
    const table = tables.find(({ schema, table: name }) => `${schema}.${name}` === refusal.table);
    if (stays && table !== undefined && !known.has(refusal.table))
      known.set(refusal.table, await syncSteps(client, table));
    const steps = stays ? (known.get(refusal.table) ?? []) : [];
    const others = steps.length === 0 ? next : next.map(orElse);
    refused.push({ ...refusal, next: [...steps, ...others] });
  }
  return refused;
}

const orElse = (step: NextStep): NextStep =>
  step instanceof Suggestion
    ? step.saying({ lead: `or ${step.said.lead ?? ''}`.trimEnd() })
    : `or ${step.replace(/^or /, '')}`;

/** How a table that is to be replaced is published by differences; none where it cannot be. */
async function syncSteps(client: Client, { schema, table, target }: LiveTable): Promise<NextStep[]> {
  const live = await readRowTable(client, schema, table);
  if (live === undefined) return [];
  const columns =
    target.columns ?? live.columns.filter(({ generated }) => !generated).map(({ name }) => name);
  const whole = (names: readonly string[]) =>
    names.every((name) => columns.includes(name) && live.columns.find((each) => each.name === name)?.notNull);
  const key = live.keys.find((each) => whole(each.columns));
  const possible = await surveyRows(client, {
    schema,
    table,
    mode: 'sync',
    columns,
    // Without a key whatever can be compared shows what else is in the way.
    key:
      key?.columns ??
      live.columns
        .filter(({ name, equality }) => equality !== null && columns.includes(name))
        .slice(0, 1)
        .map(({ name }) => name),
  }).then(
    () => true,
    (error: unknown) => {
      if (error instanceof SluiceError) return false;
      throw error;
    },
  );
  if (!possible) return [];
  if (key === undefined)
    return [
      'publish the differences, which leaves the table the one that it is: name the columns that identify a row (--mode sync, --key)',
    ];
  const named: Flags = key.primary ? {} : { key: formatList(key.columns) };
  const drop = target.omit === undefined || target.omit.length === 0 ? [] : ['omit'];
  return [
    again(
      { drop, flags: { mode: 'sync', ...named } },
      {
        lead: 'publish the differences, which leaves the table the one that it is',
        otherwise: `publish the differences, which leaves the table the one that it is: sync('${target.table}', { columns, key: [${key.columns.map((name) => `'${name}'`).join(', ')}] }) in place of replace(…)`,
      },
    ),
  ];
}
