import type { Row } from 'sluice';
import type { JsonSchema, Validator } from 'sluice/transforms';

/**
 * A validator that is built when the first row comes: the library behind it is large, and who only lists the
 * pipelines does not wait for it.
 */
export function lazily(make: () => Validator<Row>): Validator<Row> {
  let made: Validator<Row> | undefined;
  return (row) => {
    made ??= make();
    return made(row);
  };
}

/** A column that may be without a value. */
export const optional = (schema: JsonSchema): JsonSchema => ({ ...schema, type: ['string', 'null'] });

/** Text of at most so many characters, as its column in the database has it. */
export const text = (maxLength: number): JsonSchema => ({ type: 'string', maxLength });

/**
 * A telephone number: 10 to 15 digits (15 is the most of ITU-T E.164; fewer than 10 cannot be dialled in Mexico
 * since 2019), with the usual signs between.
 */
export const phone: JsonSchema = { type: 'string', maxLength: 30, pattern: '^\\+?(?:[ ().-]*[0-9]){10,15}$' };

/** An amount of money that numeric(12,2) holds. */
export const amount: JsonSchema = { type: 'string', pattern: '^[0-9]{1,10}(?:\\.[0-9]{1,2})?$' };

/** A weight in kilograms that numeric(6,2) holds. */
export const weight: JsonSchema = { type: 'string', pattern: '^[0-9]{1,4}(?:\\.[0-9]{1,2})?$' };

/** A day as its transform leaves it: a mapping may lack one. */
export const date: JsonSchema = { format: 'date' };

/** Likewise yes and no. */
export const boolean: JsonSchema = { enum: ['true', 'false', null] };
