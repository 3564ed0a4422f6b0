/**
 * What a terminal would act on instead of showing it, or would show as something else: control characters (escape
 * sequences begin with one), line breaks of every kind, halves of surrogate pairs, and format characters, among them those
 * that turn the direction of text (https://trojansource.codes). The two joiners stay: scripts and emoji need them.
 */
const UNSEEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * `text` as one line that shows all that is in it: characters that cannot be seen are written as JSON writes them
 * (`\n`, `\u001b`), so that a line of JSON stays the same value.
 */
export function visible(text: string): string {
  return text.replace(UNSEEN, (character) => SHORT[character] ?? escaped(character));
}

function escaped(character: string): string {
  let units = '';
  for (let at = 0; at < character.length; at++)
    units += `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
  return units;
}
