import v8 from 'node:v8';
import { stageErrors } from '../../src/core/errors/catalogue/stages.js';
import { toClone } from '../../src/core/json/clone.js';

/**
 * A row, or rows, by structured cloning, which keeps Date, Buffer and plain objects; `exact`: with exact numbers among
 * the values, which it does not know. Throws failed `unspillable_row` where a value cannot be kept so.
 */
export function serialize(value: unknown, exact: boolean): Buffer {
  try {
    return v8.serialize(exact ? toClone(value) : value);
  } catch (cause) {
    throw stageErrors.unspillable_row({ why: (cause as Error).message }, { cause });
  }
}
