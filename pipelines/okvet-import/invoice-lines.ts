import { FieldError, money, number, type TextField } from 'sluice/transforms';

/** One line of an invoice; amounts as decimal text. */
interface InvoiceLine {
  readonly description: string;
  readonly quantity: string;
  readonly unit_price: string;
}

const quantity = number({ fraction: 3 });
const price = money();

/**
 * The lines of an invoice as JSON text, of what OkVet writes into one field: a line of text for each,
 * `Consulta general: 1 x 350.00`. Throws FieldError `bad_invoice_line`.
 */
export const invoiceLines: TextField = (value) => {
  const lines = value.split('\n').filter((line) => line.trim() !== '');
  return JSON.stringify(
    lines.map((text): InvoiceLine => {
      const { description, times, each } = partsOf(text);
      try {
        const [count, amount] = times === '' || each === '' ? [] : [quantity(times), price(each)];
        if (description !== '' && typeof count === 'string' && typeof amount === 'string')
          return { description, quantity: count, unit_price: amount };
      } catch (error) {
        if (!(error instanceof FieldError)) throw error;
      }
      throw new FieldError(
        'bad_invoice_line',
        `not a line of an invoice: ${JSON.stringify(text.trim())}`,
        'description: quantity x price',
      );
    }),
  );
};

/** What stands before the last colon, between that and the first x behind it, and behind that; '' for what is missing. */
function partsOf(line: string) {
  const colon = line.lastIndexOf(':');
  const amounts = line.slice(colon + 1);
  const sign = amounts.search(/[x×]/);
  return {
    description: line.slice(0, Math.max(0, colon)).trim(),
    times: amounts.slice(0, Math.max(0, sign)).trim(),
    each: sign < 0 ? '' : amounts.slice(sign + 1).trim(),
  };
}

/** The sum of the lines in cents, each line rounded to cents. `lines` is what `invoiceLines` gives. */
export function sumOfLines(lines: string): number {
  // It is our own text of it.
  const own: readonly InvoiceLine[] = JSON.parse(lines);
  return own.reduce(
    (sum, line) => sum + Math.round((thousandths(line.quantity) * cents(line.unit_price)) / 1000),
    0,
  );
}

/** Decimal text of at most two decimals in cents, exactly. */
export function cents(amount: string): number {
  return scaled(amount, 2);
}

const thousandths = (amount: string) => scaled(amount, 3);

/** Digits shifted as text: 0.29 × 100 would not be 29. */
function scaled(amount: string, places: number): number {
  const [whole = '0', fraction = ''] = amount.split('.');
  return Number(`${whole}${fraction.padEnd(places, '0')}`);
}
