import fc from 'fast-check';

const digits = (most: number) =>
  fc.oneof(
    fc.integer({ min: 0, max: 9999 }).map(String),
    fc.bigInt({ min: 0n, max: 10n ** BigInt(most) }).map(String),
  );

/** A number as RFC 8259 lets it be written, short and long, with zeros and exponents. */
export const literal = fc
  .tuple(
    fc.constantFrom('', '-'),
    digits(25),
    fc.option(fc.tuple(fc.constantFrom('', '0', '000000'), digits(20), fc.constantFrom('', '0'))),
    fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e+', 'E-'), fc.integer({ min: 0, max: 420 }))),
  )
  .map(
    ([sign, whole, fraction, exponent]) =>
      `${sign}${whole}${fraction === null ? '' : `.${fraction.join('')}`}${exponent === null ? '' : exponent.join('')}`,
  );
