import type { RowTable } from '../src/db/catalog/row-tables.js';

/** `tables` so that a table comes after those that its foreign keys point at; otherwise as given. */
export function parentsFirst<P extends { readonly live: RowTable }>(tables: readonly P[]): P[] {
  const byName = new Map(tables.map((one) => [nameOf(one.live), one]));
  const done = new Set<P>();
  const visit = (one: P) => {
    if (done.has(one)) return;
    // Marked before its parents are visited: a cycle of foreign keys ends here, in the order given.
    done.add(one);
    for (const parent of one.live.parents) {
      const found = byName.get(nameOf(parent));
      if (found !== undefined) visit(found);
    }
    ordered.push(one);
  };
  const ordered: P[] = [];
  for (const one of tables) visit(one);
  return ordered;
}

const nameOf = (of: { readonly schema: string; readonly table: string }) =>
  JSON.stringify([of.schema, of.table]);
