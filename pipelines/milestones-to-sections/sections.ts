import { group, map } from 'sluice/transforms';
import type { OldRow } from './source.js';
import { integer, moment, someText, text } from './values.js';
import { SECTION_OF_CODE } from './words.js';

/** A milestone with the id of one of its tasks' milestone: NULL where it has no task. */
export type Milestone = OldRow<'milestones'> & { readonly has_tasks: unknown };

/** A milestone with the name that its section gets. */
export type Named = Milestone & { readonly section: string };

/** What a milestone is called as a section before names of one type are told apart. */
function sectionName(code: string | null, name: string): string {
  const known = code !== null && Object.hasOwn(SECTION_OF_CODE, code) ? SECTION_OF_CODE[code] : undefined;
  return known ?? name;
}

/**
 * Names for the sections of one task type. Milestones that would share a name are told apart: the first of them by
 * sequence, then id (in code point order), keeps it, the others get " (2)", " (3)", … in that order, passing over what
 * another section of the type is called. The order of the input does not matter, so the names are the same every time.
 */
export function nameSections<M extends Pick<Milestone, 'id' | 'code' | 'name' | 'sequence'>>(
  milestones: readonly M[],
): (M & { readonly section: string })[] {
  const order = [...milestones].sort(
    (a, b) => Number(a.sequence) - Number(b.sequence) || ((a.id ?? '') < (b.id ?? '') ? -1 : 1),
  );
  const wanted = order.map((row) => ({ row, name: sectionName(row.code, row.name ?? '') }));
  const taken = new Set(wanted.map(({ name }) => name));
  const used = new Set<string>();
  return wanted.map(({ row, name }) => {
    let section = name;
    for (let n = 2; used.has(section); n++) {
      const next = `${name} (${n})`;
      if (!taken.has(next)) section = next;
    }
    used.add(section);
    return { ...row, section };
  });
}

/**
 * A milestone with everything that its section needs, asked before names are given: one that is rejected takes no name.
 */
export const complete = map(
  (row: OldRow<'milestones'>) => ({
    ...row,
    id: someText(row.id, 'id'),
    code: text(row.code, 'code'),
    name: someText(row.name, 'name'),
    description: text(row.description, 'description'),
    sequence: integer(row.sequence, 'sequence'),
    createdAt: moment(row.createdAt, 'createdAt'),
    updatedAt: moment(row.updatedAt, 'updatedAt'),
  }),
  'milestones',
);

/** Milestones of one task type become its sections; holds the milestones of all types, which are few. */
export const toSections = group<Milestone, Milestone[], Named>({
  name: 'name sections',
  by: 'taskTypeId',
  unordered: true,
  start: () => [],
  add: (milestones, row) => void milestones.push(row),
  finish: nameSections,
});

/** A section as the new table has it. Its id is the milestone's. */
export const sectionRow = map(
  (row: Named) => ({
    id: row.id,
    task_type_id: row.taskTypeId,
    name: row.section,
    description: row.description,
    sequence: row.sequence,
    is_placeholder: row.has_tasks === null ? 'true' : 'false',
    milestone_code: row.code,
    milestone_name: row.name,
    created_at: row.createdAt,
    updated_at: row.updatedAt,
  }),
  'to sections',
);
