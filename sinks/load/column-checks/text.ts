import type { Guard } from './column-check.js';

/**
 * The guard of varchar(n) and char(n): at most `length` characters (code points). Spaces beyond the length
 * are cut off by the server without an error (varchar_input, bpchar_input), so they are accepted.
 */
export function lengthGuard(length: number): Guard {
  function accepts(text: string): boolean {
    // A string never has more code points than UTF-16 units.
    return text.length <= length || acceptsLong(text);
  }

  function acceptsLong(text: string): boolean {
    let to = text.length;
    while (to > 0 && text.charCodeAt(to - 1) === 32) to--;
    if (to <= length) return true;
    // Every code point has at most two units.
    if (to > 2 * length) return false;
    let points = 0;
    for (let i = 0; i < to; i++) {
      const code = text.charCodeAt(i);
      if (code < 0xdc00 || code > 0xdfff) points++;
    }
    return points <= length;
  }

  return { expected: `at most ${length} characters`, accepts, reason: () => 'too_long' };
}

/** The guard of an enum: one of its labels, letter for letter. */
export function enumGuard(labels: readonly string[]): Guard {
  const known = new Set(labels);
  const shown = labels.slice(0, 12).map((label) => `'${label}'`);
  const more = labels.length > shown.length ? ` or one of ${labels.length - shown.length} more` : '';
  return {
    expected: labels.length === 0 ? 'nothing: the enum has no labels' : `one of ${shown.join(', ')}${more}`,
    accepts: (text) => known.has(text),
    reason: () => 'not_a_label',
  };
}
