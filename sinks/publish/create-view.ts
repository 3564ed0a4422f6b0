import { literal, qualified } from '../../src/db/quote.js';

/** The statements that make a view which says what it is. Pure. */
export function createView(
  { schema, name }: { readonly schema: string; readonly name: string },
  select: string,
  comment: string,
): string[] {
  const view = qualified(schema, name);
  return [`CREATE VIEW ${view} AS\n${select}`, `COMMENT ON VIEW ${view} IS ${literal(comment)}`];
}
