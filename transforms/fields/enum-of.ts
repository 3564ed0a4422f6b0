import { FieldError, type TextField } from './field.js';

/**
 * One of a list of words, each with what it becomes; capitals, accents and spaces around it do not matter.
 * `otherwise` is what any other word becomes; without it another word is refused (`not_in_list`).
 */
export function enumOf(words: Readonly<Record<string, string>>, otherwise?: string): TextField {
  const table = new Map(Object.entries(words).map(([word, value]) => [plain(word), value]));
  const expected = Object.keys(words).join(', ');
  return (value) => {
    const found = table.get(value) ?? table.get(plain(value)) ?? otherwise;
    if (found === undefined)
      throw new FieldError('not_in_list', `not one of the words known: ${JSON.stringify(value)}`, expected);
    return found;
  };
}

/** In small letters, without accents and spaces around. */
export function plain(word: string): string {
  return word.trim().toLowerCase().normalize('NFD').replace(/\p{M}/gu, '');
}
