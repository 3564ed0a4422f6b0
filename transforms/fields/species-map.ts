/** T-018's table. */
const SPECIES: ReadonlyMap<string, string> = new Map([
  ['perro', 'dog'],
  ['gato', 'cat'],
  ['ave', 'bird'],
  ['conejo', 'rabbit'],
  ['hamster', 'hamster'],
]);

/** What `speciesMap` gives. */
export const SPECIES_NAMES = ['dog', 'cat', 'bird', 'rabbit', 'hamster', 'other'] as const;

/** The species in English by the `species_map` of the import (T-018, docs/okvet-import.md), whatever the case; what its table lacks is `other`. */
export function speciesMap(value: string): string {
  return SPECIES.get(value.toLowerCase()) ?? 'other';
}
