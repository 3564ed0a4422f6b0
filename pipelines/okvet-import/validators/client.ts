import type { Row } from 'sluice';
import { type JsonSchema, type Rule, type Validator, validator } from 'sluice/transforms';
import { boolean, date, lazily, optional, phone, text } from './common.js';

const schema: JsonSchema = {
  type: 'object',
  properties: {
    registered_on: optional(date),
    active: optional(boolean),
    name: optional(text(200)),
    first_name: optional(text(100)),
    last_name: optional(text(100)),
    email: optional({ format: 'email', maxLength: 254 }),
    phone: optional(phone),
    mobile: optional(phone),
    tax_id: optional({ pattern: '^[A-ZÑ&]{3,4}[0-9]{6}[A-Z0-9]{3}$' }),
    postal_code: optional({ pattern: '^[0-9]{5}$' }),
    city: optional(text(100)),
  },
};

/** T-018, validate_client: a name or a first name. */
const named: Rule = {
  name: 'name_required',
  column: 'first_name',
  test: (row) => Boolean(row.name) || Boolean(row.first_name) || 'Name is required',
};

/** What is wrong with a client: T-018's validate_client, and what the table's columns cannot hold. */
export const validateClient: Validator<Row> = lazily(() =>
  validator(schema, {
    name: 'client',
    rules: [named],
    messages: {
      email: { format: 'Invalid email format' },
      phone: { pattern: 'Invalid phone format' },
      mobile: { pattern: 'Invalid phone format' },
      tax_id: { pattern: 'Invalid RFC' },
    },
  }),
);
