import type { Row } from 'sluice';
import { type JsonSchema, type Rule, type Validator, validator } from 'sluice/transforms';
import { cents, sumOfLines } from '../invoice-lines.js';
import { amount, boolean, date, lazily, optional, text } from './common.js';

const schema: JsonSchema = {
  type: 'object',
  required: ['issued_on', 'lines', 'total'],
  properties: {
    paid: optional(boolean),
    issued_on: { ...date, type: 'string' },
    lines: { type: 'string' },
    subtotal: optional(amount),
    tax: optional(amount),
    total: amount,
    payment_method: optional(text(50)),
  },
};

const isAmount = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9]{1,10}(?:\.[0-9]{1,2})?$/.test(value);

/** The lines are without tax where the invoice tells the tax apart, else with it. */
const sumsUp: Rule = {
  name: 'lines_do_not_add_up',
  column: 'total',
  test({ lines, subtotal, tax, total }) {
    // Without the transform of lines they are no JSON, which the table says itself.
    if (typeof lines !== 'string' || !lines.startsWith('[') || !isAmount(total)) return true;
    const found = sumOfLines(lines) + (isAmount(tax) ? cents(tax) : 0);
    if (found !== cents(total))
      return `The lines and the tax come to ${pesos(found)}, and the total is ${total}`;
    if (isAmount(subtotal) && cents(subtotal) !== sumOfLines(lines))
      return `The lines come to ${pesos(sumOfLines(lines))}, and the subtotal is ${subtotal}`;
    return true;
  },
};

const pesos = (amountInCents: number) => (amountInCents / 100).toFixed(2);

/** What is wrong with an invoice: it has lines, and they add up to its total. */
export const validateInvoice: Validator<Row> = lazily(() =>
  validator(schema, { name: 'invoice', rules: [sumsUp] }),
);
