import type { Field } from './field.js';

/** `value` where there is none: NULL, or text of nothing but spaces. */
export function defaultTo(value: string): Field {
  return (given) => (given === null || given.trim() === '' ? value : given);
}
