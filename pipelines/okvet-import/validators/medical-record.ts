import type { Row } from 'sluice';
import { type JsonSchema, type Rule, type Validator, validator } from 'sluice/transforms';
import { date, lazily, optional, text, weight } from './common.js';

const schema: JsonSchema = {
  type: 'object',
  required: ['visited_on'],
  properties: {
    visited_on: { ...date, type: 'string' },
    reason: optional(text(200)),
    weight_kg: optional(weight),
    veterinarian: optional(text(100)),
  },
};

const saysSomething: Rule = {
  name: 'empty_record',
  column: 'diagnosis',
  test: (row) =>
    [row.reason, row.diagnosis, row.treatment, row.notes].some(Boolean) ||
    'A medical record needs a reason, a diagnosis, a treatment or notes',
};

/** What is wrong with a medical record. */
export const validateMedicalRecord: Validator<Row> = lazily(() =>
  validator(schema, {
    name: 'medical record',
    rules: [saysSomething],
  }),
);
