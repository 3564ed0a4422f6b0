/** Without white space at both ends; no-break spaces are white space, too. */
export const trim = (value: string): string => value.trim();

/** White space that is not one space between words. */
const UNEVEN = /^\s|\s$|\s\s|[^\S ]/;

/** Trimmed, and every run of white space within, line ends included, is one space. */
export function collapseSpaces(value: string): string {
  if (!UNEVEN.test(value)) return value;
  return value.replace(/\s+/g, ' ').trim();
}

/** In small letters, and trimmed: addresses that differ only so are one mailbox everywhere that matters. */
export const emailLower = (value: string): string => value.trim().toLowerCase();

/** Trimmed, and every end of a line is one line feed: a file's own may be CR LF. */
export function multiline(value: string): string {
  return (value.includes('\r') ? value.replace(/\r\n?/g, '\n') : value).trim();
}
