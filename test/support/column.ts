import type { ColumnFacts } from '../../src/db/catalog/columns.js';

/** A column as the catalog would have it: nullable, without a default, of the type `base`. */
export const column = (name: string, base = 'text', more: Partial<ColumnFacts> = {}): ColumnFacts => ({
  name,
  position: 1,
  type: base,
  base,
  baseOid: 0,
  kind: 'scalar',
  notNull: false,
  hasDefault: false,
  ...more,
});
