import { deletes, inserts, type PublishMode } from '../../../src/core/publish-mode.js';
import type { RowTable } from '../../../src/db/catalog/row-tables.js';

/** A table with what is done to its rows. */
interface Ordered {
  readonly live: RowTable;
  /** As RowTarget has it: a patch adds no rows. */
  readonly mode: PublishMode;
}

/**
 * `tables` so that a table comes after those that its foreign keys point at; otherwise as given. Where keys
 * go round in a circle, those to a table that is only patched do not count: its rows are there already, and
 * what it is patched with may be the rows that the others add (a run that is to point at its new snapshot).
 */
export function parentsFirst<P extends Ordered>(tables: readonly P[]): P[] {
  const byName = new Map(tables.map((one) => [nameOf(one.live), one]));
  const parentsOf = (one: P) => one.live.parents.flatMap((parent) => byName.get(nameOf(parent)) ?? []);
  const reaches = (from: P, to: P, seen = new Set<P>()): boolean =>
    parentsOf(from).some((parent) => {
      if (parent === to) return true;
      if (seen.has(parent)) return false;
      seen.add(parent);
      return reaches(parent, to, seen);
    });
  const mayWait = (parent: P, child: P) =>
    !inserts(parent.mode) && inserts(child.mode) && reaches(parent, child);
  const done = new Set<P>();
  const ordered: P[] = [];
  const visit = (one: P) => {
    if (done.has(one)) return;
    // Marked before its parents are visited: a circle of tables that all get rows ends here.
    done.add(one);
    for (const parent of parentsOf(one)) if (!mayWait(parent, one)) visit(parent);
    ordered.push(one);
  };
  for (const one of tables) visit(one);
  return ordered;
}

/**
 * Those of `tables` whose rows can be changed only after the swap of `replaced` tables: a row that refers to one must see
 * the new one, and a row that old ones refer to can be deleted only once they are gone. Linked to each other the same
 * holds among them. `undone`: what is done is the reverse, and both hold for every table that is linked to one.
 */
export function afterSwap<P extends Ordered>(
  tables: readonly P[],
  replaced: readonly { readonly schema: string; readonly table: string }[],
  undone = false,
): ReadonlySet<P> {
  const waiting = new Set(replaced.map(nameOf));
  const late = new Set<P>();
  const waits = ({ live: { parents, children }, mode }: P) =>
    parents.some((parent) => waiting.has(nameOf(parent))) ||
    ((undone || deletes(mode)) && children.some((child) => waiting.has(nameOf(child))));
  for (let more = true; more; ) {
    more = false;
    for (const one of tables) {
      if (late.has(one) || !waits(one)) continue;
      late.add(one);
      waiting.add(nameOf(one.live));
      more = true;
    }
  }
  return late;
}

const nameOf = (of: { readonly schema: string; readonly table: string }) =>
  JSON.stringify([of.schema, of.table]);
