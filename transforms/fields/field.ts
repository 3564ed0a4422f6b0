import type { Row } from '../../src/core/row.js';

/**
 * What a field's value becomes. NULL comes in where the record has no value; most transforms leave it NULL.
 * `row` is the record as the input had it, for those that look at other fields. Throws FieldError.
 */
export type Field = (value: string | null, row: Row) => string | null;

/** What a field's value becomes where one field fills several columns; always as many values. */
export type SplitField = (value: string | null, row: Row) => readonly (string | null)[];

/** A text made of a text. Throws FieldError. */
export type TextField = (value: string) => string | null;

/** Told of something worth counting that is no error: `ambiguous_date`, say, and the value. */
export type Note = (reason: string, value: string) => void;

/**
 * Thrown by a transform for a value that it cannot take. It knows neither the field nor the record; whoever
 * calls the transform adds both.
 */
export class FieldError extends Error {
  /** `reason`: a snake_case code that reports group by. `expected`: what would have been right. */
  constructor(
    readonly reason: string,
    message: string,
    readonly expected: string,
  ) {
    super(message);
    this.name = 'FieldError';
  }
}

/** `transform` for values that may be NULL: NULL stays NULL. */
export function present(transform: TextField): Field {
  return (value) => (value === null ? null : transform(value));
}

/** The transforms one after the other. */
export function compose(...fields: readonly Field[]): Field {
  if (fields.length === 1) return fields[0] as Field;
  if (fields.length === 0) return (value) => value;
  return (value, row) => {
    let made = value;
    for (let i = 0; i < fields.length; i++) made = (fields[i] as Field)(made, row);
    return made;
  };
}
