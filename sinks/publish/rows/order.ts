import { inserts, type PublishMode } from '../../../src/core/publish-mode.js';
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

const nameOf = (of: { readonly schema: string; readonly table: string }) =>
  JSON.stringify([of.schema, of.table]);
