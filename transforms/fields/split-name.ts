import type { SplitField } from './field.js';

const PARTICLES = new Set(['de', 'del', 'la', 'las', 'los', 'y', 'da', 'do', 'dos', 'van', 'von']);

/**
 * A full name as given names and surnames, two values. `García López, María` has its surnames before the
 * comma. Without one the last two words are the surnames, as Mexicans have two, with the particles that belong
 * to them (`María de la Cruz Pérez`), and the first word is always a given name; of two words one is each. One word alone is a given name without surnames,
 since the import (T-018, docs/okvet-import.md) asks a client for a name or a first name and nothing more.
 */
export const splitName: SplitField = (value) => {
  if (value === null) return [null, null];
  const text = value.replace(/\s+/g, ' ').trim();
  if (text === '') return [null, null];
  const comma = text.indexOf(',');
  if (comma >= 0) return [text.slice(comma + 1).trim() || null, text.slice(0, comma).trim() || null];
  const words = text.split(' ');
  let at = words.length;
  for (let surnames = 0; surnames < 2 && at > 1; surnames++) {
    if (surnames === 1 && at === 2 && words.length === 3 && isParticle(words[1])) break;
    at--;
    while (at > 1 && isParticle(words[at - 1])) at--;
  }
  return [words.slice(0, at).join(' '), words.slice(at).join(' ') || null];
};

const isParticle = (word: string | undefined) => word !== undefined && PARTICLES.has(word.toLowerCase());
