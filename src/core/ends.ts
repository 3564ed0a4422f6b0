/**
 * `text` without the characters at its end that `one`, an expression for a single character, takes. An expression such as
 * `/[;\s]+$/` does the same, but is tried again at each character of every run of them: quadratic in a long run that
 * does not stand at the end.
 */
export function withoutEnd(text: string, one: RegExp): string {
  let to = text.length;
  while (to > 0 && one.test(text.charAt(to - 1))) to--;
  return to === text.length ? text : text.slice(0, to);
}
