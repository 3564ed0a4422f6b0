import { type Said, spoken } from '../../src/core/next.js';

/**
 * Stands for what is put into a sentence: a text, a number or a name, which reads `…`; a list of one such; a step; something
 * that has such properties.
 */
// biome-ignore lint/suspicious/noExplicitAny: it stands for whatever a sentence is given
const BLANK: any = new Proxy(() => BLANK, {
  get: (_, property) => {
    if (property === Symbol.toPrimitive || property === 'toString' || property === 'toJSON') return () => '…';
    // A step that is given, with what is said beside it.
    if (property === 'saying') return (said: Said) => spoken('…', said);
    // Of a name or of a list: what is left of it.
    if (property === 'slice') return () => BLANK;
    if (property === Symbol.iterator) return [BLANK][Symbol.iterator].bind([BLANK]);
    for (const like of [[BLANK], '…']) {
      const method = Reflect.get(Object(like), property);
      if (typeof method === 'function') return method.bind(like);
    }
    return BLANK;
  },
  apply: () => BLANK,
});

/** The parameters of any sentence. */
export const BLANKS: object = new Proxy({}, { get: () => BLANK });
