/**
 * What is read otherwise than it is meant without quotes: quotes, line ends, blanks at an edge, which some trim, the empty
 * text, which would be NULL, and `\.`, which alone on a line would end the data for COPY.
 */
const QUOTED = /["\r\n]|^\s|\s$|^$|^\\\.$/;

/**
 * A field of CSV as RFC 4180 has it, and COPY and our reader: NULL is `nullText`, or nothing, the empty text a pair of
 * quotes; what holds the `delimiter`, or is the text of NULL, is quoted as well.
 */
export function csvFieldBy(delimiter: string, nullText = ''): (value: string | null) => string {
  return (value) => {
    if (value === null) return nullText;
    const quoted = value.includes(delimiter) || QUOTED.test(value) || value === nullText;
    return quoted ? `"${value.replaceAll('"', '""')}"` : value;
  };
}

/** A field between commas. */
export const csvField = csvFieldBy(',');
