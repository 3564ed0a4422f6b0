/**
 * What is read otherwise than it is meant without quotes: delimiters, line ends, blanks at an edge, which some trim, the
 * empty text, which would be NULL, and `\.`, which alone on a line would end the data for COPY.
 */
const QUOTED = /[",\r\n]|^\s|\s$|^$|^\\\.$/;

/** A field of CSV as RFC 4180 has it, and COPY and our reader: NULL is nothing, the empty text a pair of quotes. */
export function csvField(value: string | null): string {
  if (value === null) return '';
  return QUOTED.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
