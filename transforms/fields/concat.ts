import type { Field } from './field.js';

/**
 * The value and those of other fields of the record, with `separator` between; those without a value are
 * left out, and NULL comes of none at all.
 */
export function concat(separator: string, ...others: readonly string[]): Field {
  return (value, row) => {
    let made = value !== null && value.trim() !== '' ? value.trim() : null;
    for (const name of others) {
      const other = row[name];
      if (other === null || other === undefined) continue;
      const text = String(other).trim();
      if (text !== '') made = made === null ? text : made + separator + text;
    }
    return made;
  };
}
