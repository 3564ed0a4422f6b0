import {
  again,
  type Check,
  type CheckContext,
  check,
  command,
  type Finding,
  literal,
  noun,
  type OldSystem,
  offenders,
  plural,
  type Validation,
  type ValidationContext,
  validation,
} from 'sluice';
import { RowError } from 'sluice/transforms';
import { nameSections } from './sections.js';
import type { OldTable } from './source.js';
import { timestamp } from './values.js';

/** How many offenders are looked for; the count above them says when there are more. */
const LIMIT = 1000;
/** Rows of a new table whose old rows are asked for together. */
const PAGE = 5000;

interface Filled {
  readonly table: string;
  readonly one: string;
  readonly input: OldTable;
  /** SQL over a live row `l`: it holds what the old system has no place for, so that it is in no old row's date. */
  readonly only?: string;
  /** The same over `l` and the staged row `s`, where it takes both to tell. */
  readonly differs?: string;
}

/** The new tables with an `updated_at`, and the old tables that fill them. */
const FILLED: readonly Filled[] = [
  { table: 'suppliers', one: 'supplier', input: 'suppliers' },
  { table: 'projects', one: 'project', input: 'projects' },
  { table: 'taskTypes', one: 'task type', input: 'task_types' },
  {
    ...{ table: 'sections', one: 'section', input: 'milestones' },
    // The view under the old name shows the milestone's name with the section's updated_at.
    differs: `l.name <> s.name AND l.updated_at >= s.updated_at
      AND (l.milestone_code, l.milestone_name) IS NOT DISTINCT FROM (s.milestone_code, s.milestone_name)`,
  },
  { table: 'tasks', one: 'task', input: 'tasks', only: 'l.parent_task_id IS NOT NULL' },
  { table: 'templates', one: 'project task template', input: 'project_milestone_tasks' },
  { table: 'instances', one: 'supplier task instance', input: 'supplier_task_instances' },
];
const LEGACY: readonly Filled[] = [
  { table: 'legacyTemplates', one: 'legacy task template', input: 'task_templates' },
  { table: 'legacyInstances', one: 'legacy task instance', input: 'task_instances' },
];

/** Those that a run with these settings replaces. */
const filled = ({ legacy }: CheckContext['settings']) =>
  legacy === 'carry' ? [...FILLED, ...LEGACY] : FILLED;

/** The finding of rows of a new table that would be lost, if any. */
function lost(rows: readonly string[], one: string): Finding[] {
  return offenders(
    rows.map((id) => ({ id })),
    (n) =>
      `${n === LIMIT ? `${LIMIT} or more ${noun(2, one)}` : plural(n, one)} of the new tables ${noun(n, 'is', 'are')} newer than the old system’s, or only there, and would be lost`,
    ({ id }) => String(id),
    {
      next: [
        command('status', [], {}, { note: 'an earlier batch is live already' }),
        again({ flags: { set: ['overwrite=on'] } }, { lead: 'or lose them' }),
      ],
    },
  );
}

/**
 * The new application, or the old one through the views, may have written since an earlier run: publishing the old rows
 * again would lose that. Asked of all that was loaded, right before the publish.
 */
export const nothingNewer: Validation = {
  ...validation(
    'nothing-newer-in-the-new-tables',
    'the new tables hold no row that is newer than the old system’s, or not in it',
    async (context) => {
      if (context.settings.overwrite === 'on' || context.published) return [];
      const found: Finding[] = [];
      for (const of of filled(context.settings)) {
        const conditions = [
          's.id IS NULL',
          'l.updated_at > s.updated_at',
          ...[of.only ?? [], of.differs ?? []].flat(),
        ];
        found.push(
          ...lost(
            await ids(
              context,
              `SELECT l.id FROM ${context.live(of.table)} l LEFT JOIN ${context.staged(of.table)} s USING (id)
             WHERE ${conditions.map((each) => `(${each})`).join(' OR ')} ORDER BY 1 LIMIT ${LIMIT}`,
            ),
            of.one,
          ),
        );
      }
      const types = await ids(
        context,
        `SELECT concat_ws(' ', l.project_id, l.task_type_id) AS id FROM ${context.live('projectTaskTypes')} l
       LEFT JOIN ${context.staged('projectTaskTypes')} s USING (project_id, task_type_id)
       WHERE s.id IS NULL ORDER BY 1 LIMIT ${LIMIT}`,
      );
      return [...found, ...lost(types, 'project task type')];
    },
  ),
  atPublishOnly: true,
};

const ids = async ({ database }: Pick<ValidationContext, 'database'>, sql: string) =>
  (await database.query<{ id: string }>(sql)).map(({ id }) => id);

/**
 * The same before anything is loaded, of the old system itself, as far as rows tell by their ids and dates; nothing is
 * asked where the new tables are empty, or where files took the place of the old system.
 */
export const nothingNewerYet: Check = check(
  'nothing-newer-in-the-new-tables',
  'the new tables hold no row that is newer than the old system’s, or not in it',
  async (context) => {
    if (context.settings.overwrite === 'on') return [];
    const old = await context.old();
    const asked = (input: OldTable) => old.kind === 'sqlite' || !context.replaced(input);
    const found: Finding[] = [];
    for (const of of filled(context.settings))
      if (asked(of.input)) {
        const newer = await newerThan(old, context, of);
        const more = of.table === 'sections' ? await renamed(context) : [];
        found.push(...lost([...new Set([...newer, ...more])], of.one));
      }
    if (asked('project_milestone_tasks'))
      found.push(...lost(await typesOnlyHere(old, context), 'project task type'));
    return found;
  },
);

/** Ids of live rows that their old rows do not account for. */
async function newerThan(
  old: OldSystem,
  { database, live, signal }: CheckContext,
  of: Filled,
): Promise<string[]> {
  const found: string[] = [];
  for (let last: string | undefined; found.length < LIMIT; ) {
    signal.throwIfAborted();
    const page = await database.query<{ id: string; at: string; only: boolean }>(
      `SELECT l.id, extract(epoch FROM l.updated_at)::float8 * 1000 AS at, ${of.only ?? 'false'} AS only
       FROM ${live(of.table)} l ${last === undefined ? '' : 'WHERE l.id > $1'} ORDER BY l.id LIMIT ${PAGE}`,
      last === undefined ? [] : [last],
    );
    if (page.length === 0) break;
    last = page.at(-1)?.id;
    const rows = await old.query(
      `SELECT id, "updatedAt" AS at FROM ${old.table(of.input)} WHERE id IN (${page.map(({ id }) => literal(id)).join(', ')})`,
    );
    const before = new Map(rows.map(({ id, at }) => [id, milliseconds(at)]));
    for (const { id, at, only } of page) {
      const known = before.get(id);
      if (only || known === undefined || Number(at) > known) found.push(id);
    }
  }
  return found.slice(0, LIMIT);
}

/** A date of the old system; one that is none, which makes its row a reject, is never older. */
function milliseconds(at: unknown): number {
  try {
    const text = timestamp(at ?? null, 'updatedAt');
    return text === null ? Number.POSITIVE_INFINITY : Date.parse(`${text.replace(' ', 'T')}Z`);
  } catch (error) {
    if (error instanceof RowError) return Number.POSITIVE_INFINITY;
    throw error;
  }
}

/** Sections that have another name than a run gives to the milestones they were. */
async function renamed({ database, live }: CheckContext): Promise<string[]> {
  const sections = await database.query<{
    id: string;
    type: string;
    code: string | null;
    name: string;
    sequence: string;
    now: string;
  }>(
    `SELECT n.id, n.task_type_id AS type, n.milestone_code AS code, coalesce(n.milestone_name, n.name) AS name, n.sequence::text, n.name AS now
     FROM ${live('sections')} n ORDER BY n.id`,
  );
  const types = new Map<string, (typeof sections)[number][]>();
  for (const each of sections) {
    const all = types.get(each.type);
    if (all === undefined) types.set(each.type, [each]);
    else all.push(each);
  }
  return [...types.values()]
    .flatMap((each) => nameSections(each))
    .filter(({ section, now }) => section !== now)
    .map(({ id }) => id)
    .slice(0, LIMIT);
}

/** Projects' task types that no task of the old system gives them. */
async function typesOnlyHere(old: OldSystem, context: CheckContext): Promise<string[]> {
  const here = await ids(
    context,
    `SELECT concat_ws(' ', l.project_id, l.task_type_id) AS id FROM ${context.live('projectTaskTypes')} l ORDER BY 1`,
  );
  if (here.length === 0) return [];
  const pairs = await old.query(
    `SELECT DISTINCT p."projectId" AS project, m."taskTypeId" AS type FROM ${old.table('project_milestone_tasks')} p
     JOIN ${old.table('tasks')} k ON k.id = p."taskId" JOIN ${old.table('milestones')} m ON m.id = k."milestoneId"`,
  );
  const there = new Set(pairs.map(({ project, type }) => `${project} ${type}`));
  return here.filter((id) => !there.has(id)).slice(0, LIMIT);
}
