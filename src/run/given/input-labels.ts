import type { Source } from '../../core/types.js';

/**
 * What messages and rejects call each input, by its name in the pipeline: as its source is called; and where sources of
 * several inputs are called the same (the arrays of one JSON document), with the input's name behind it.
 */
export function inputLabels(inputs: Readonly<Record<string, Source>>): Record<string, string> {
  const names = Object.values(inputs).map(({ name }) => name);
  const isShared = (name: string) => names.indexOf(name) !== names.lastIndexOf(name);
  return Object.fromEntries(
    Object.entries(inputs).map(([input, { name }]) => [input, isShared(name) ? `${name} (${input})` : name]),
  );
}
