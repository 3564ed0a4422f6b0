import type { Row } from 'sluice';
import { type JsonSchema, type Rule, type Validator, validator } from 'sluice/transforms';
import { date, lazily, optional, text } from './common.js';

const schema: JsonSchema = {
  type: 'object',
  required: ['vaccine', 'given_on'],
  properties: {
    due_on: optional(date),
    vaccine: text(100),
    given_on: { ...date, type: 'string' },
    lot: optional(text(50)),
    veterinarian: optional(text(100)),
  },
};

/** Dates are ISO text by now, so their order is that of the text. */
const dueLater: Rule = {
  name: 'due_before_given',
  column: 'due_on',
  test: ({ due_on: due, given_on: given }) =>
    typeof due !== 'string' ||
    typeof given !== 'string' ||
    due > given ||
    `The next dose (${due}) is due no later than this one was given (${given})`,
};

/** What is wrong with a vaccination by itself; that it was not before birth is asked with the pet at hand. */
export const validateVaccination: Validator<Row> = lazily(() =>
  validator(schema, {
    name: 'vaccination',
    rules: [dueLater],
  }),
);
