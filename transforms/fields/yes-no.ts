import { plain } from './enum-of.js';
import { FieldError } from './field.js';

const YES = new Set(['si', 's', 'yes', 'y', 'true', 't', 'verdadero', 'v', '1', 'x']);
const NO = new Set(['no', 'n', 'false', 'f', 'falso', '0']);

/** `true` or `false` of a Spanish or English yes or no. Throws FieldError `not_yes_or_no`. */
export function yesNo(value: string): string {
  const word = plain(value);
  if (YES.has(word)) return 'true';
  if (NO.has(word)) return 'false';
  throw new FieldError('not_yes_or_no', `neither yes nor no: ${JSON.stringify(value)}`, 'sí or no');
}
