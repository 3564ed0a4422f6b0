/**
 * A Mexican phone number as +52 and 10 digits. The rules are those of `phone_format` (T-018, docs/okvet-import.md): of the digits alone, 10
 * get `+52`, 12 that begin with 52 get `+`; anything else stays as it is, separators and all.
 */
export function phoneFormat(value: string): string {
  // Python's \d, of which the rules are written, is a decimal digit of any script.
  const digits = value.replace(/\P{Nd}/gu, '');
  const count = [...digits].length;
  if (count === 10) return `+52${digits}`;
  if (count === 12 && digits.startsWith('52')) return `+${digits}`;
  return value;
}
