import type { Row } from 'sluice';
import { type JsonSchema, type Validator, validator } from 'sluice/transforms';
import { lazily, optional, text } from './common.js';

/** The states of an appointment, as the database has them. */
const APPOINTMENT_STATES = ['scheduled', 'confirmed', 'completed', 'cancelled', 'no_show'] as const;

const schema: JsonSchema = {
  type: 'object',
  required: ['scheduled_at', 'status'],
  properties: {
    scheduled_at: {
      type: 'string',
      pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}(?::[0-9]{2})?$',
    },
    status: { type: 'string', enum: APPOINTMENT_STATES },
    minutes: optional({ pattern: '^(?:[1-9]|[1-9][0-9]|[1-3][0-9]{2}|4[0-7][0-9]|480)$' }),
    reason: optional(text(200)),
  },
};

/** What is wrong with an appointment: it needs a day and an hour, and lasts a working day at most. */
export const validateAppointment: Validator<Row> = lazily(() =>
  validator(schema, {
    name: 'appointment',
    messages: {
      scheduled_at: { pattern: 'An appointment needs a date and a time' },
      minutes: { pattern: 'An appointment lasts 1 to 480 minutes' },
    },
  }),
);
