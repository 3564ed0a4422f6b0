/**
 * Deepest nesting of JSON that is read. PostgreSQL's own parser gives up at some 6,000 levels with its
 * default max_stack_depth, and code that walks a value by recursion not much later.
 */
export const MAX_DEPTH = 1000;

/** Whether the JSON in `text` nests deeper than MAX_DEPTH. */
export function isTooDeep(text: string): boolean {
  // Every level takes two characters, so that a short text is known without a look.
  if (text.length < MAX_DEPTH * 2) return false;
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (quoted) {
      if (code === 92) i++;
      else if (code === 34) quoted = false;
    } else if (code === 34) quoted = true;
    else if (code === 91 || code === 123) {
      if (++depth > MAX_DEPTH) return true;
    } else if (code === 93 || code === 125) depth--;
  }
  return false;
}
