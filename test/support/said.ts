import type { Next } from '../../src/core/next.js';

/** Notes or warnings as they are said, each with its steps behind it. */
export const into =
  (said: string[]) =>
  (text: string, next?: Next): void =>
    void said.push([text, ...[next ?? []].flat()].join('; '));
