/** Stay small inside a Spanish name. */
const PARTICLES = new Set(['de', 'del', 'la', 'las', 'los', 'y', 'e', 'da', 'do', 'dos', 'van', 'von']);

const WORD = /[\p{L}\p{M}\p{N}'’]+/gu;

/**
 * A name with capital initials: `JOSÉ DE LA CRUZ` and `josé de la cruz` are `José de la Cruz`. A value that
 * has small and capital letters already was written by somebody who knew how, and stays: `McAllister`.
 */
export function titleCase(value: string): string {
  if (value !== value.toUpperCase() && value !== value.toLowerCase()) return value;
  let first = true;
  return value.toLowerCase().replace(WORD, (word) => {
    const small = !first && PARTICLES.has(word);
    first = false;
    if (small) return word;
    const [initial = ''] = word;
    return initial.toUpperCase() + word.slice(initial.length);
  });
}
