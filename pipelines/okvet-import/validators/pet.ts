import type { Row } from 'sluice';
import { type JsonSchema, SPECIES_NAMES, type Validator, validator } from 'sluice/transforms';
import { boolean, date, lazily, optional, text, weight } from './common.js';

const schema: JsonSchema = {
  type: 'object',
  required: ['name', 'species'],
  properties: {
    birth_date: optional(date),
    neutered: optional(boolean),
    deceased: optional(boolean),
    name: text(100),
    species: { type: 'string', enum: SPECIES_NAMES },
    breed: optional(text(100)),
    sex: optional({ enum: ['male', 'female', 'unknown', null] }),
    weight_kg: optional(weight),
    microchip: optional({ pattern: '^[0-9]{15}$' }),
  },
};

/** What is wrong with a pet: T-018's validate_pet, and what the table's columns cannot hold. */
export const validatePet: Validator<Row> = lazily(() =>
  validator(schema, {
    name: 'pet',
    messages: {
      name: { required: 'Pet name is required' },
      species: { required: 'Species is required' },
      microchip: { pattern: 'A microchip number has 15 digits (ISO 11784)' },
    },
  }),
);
