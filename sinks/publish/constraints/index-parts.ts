import type { IndexPart, RowExclusion, RowUnique } from '../../../src/db/catalog/row-constraints.js';
import { PLACE } from './future.js';

const part = ({ expression, collation }: IndexPart) =>
  collation === null ? `(${expression})` : `(${expression}) COLLATE ${collation}`;

/** The rows of `from` with the parts of an index as columns `sluice_u1`, …, and those of `also`. */
export function indexed(
  from: string,
  { parts, predicate }: Pick<RowUnique, 'parts' | 'predicate'>,
  also: readonly string[],
): string {
  const made = parts.map((each, i) => `${part(each)} AS sluice_u${i + 1}`);
  const where = predicate === null ? '' : ` WHERE ${predicate}`;
  return `SELECT ${[...also, ...made].join(', ')} FROM ${from} i${where}`;
}

/** What of a loaded row says where it came from. */
export const ORIGINS = [PLACE, 'sluice_row', 'sluice_line'];
/** The parts of an index as `indexed` names them. */
export const us = (alias: string, parts: readonly IndexPart[]) =>
  parts.map((_, i) => `${alias}.sluice_u${i + 1}`);
/** That two rows are the same by every part, NULLs apart. */
export const equal = (left: string, right: string, parts: readonly IndexPart[]) =>
  parts
    .map(({ operator }, i) => `${left}.sluice_u${i + 1} ${operator} ${right}.sluice_u${i + 1}`)
    .join(' AND ');
/** That no part is NULL. */
export const complete = (alias: string, parts: readonly IndexPart[]) =>
  us(alias, parts)
    .map((column) => `${column} IS NOT NULL`)
    .join(' AND ');

/** That two rows of `indexed` cannot both be there. */
export function meets(left: string, right: string, index: RowUnique | RowExclusion): string {
  if (!('nullsDistinct' in index) || index.nullsDistinct) return equal(left, right, index.parts);
  return index.parts
    .map(({ operator }, i) => {
      const [a, b] = [`${left}.sluice_u${i + 1}`, `${right}.sluice_u${i + 1}`];
      return `(${a} ${operator} ${b} OR (${a} IS NULL AND ${b} IS NULL))`;
    })
    .join(' AND ');
}
