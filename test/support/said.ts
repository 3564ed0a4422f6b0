import assert from 'node:assert/strict';
import { SluiceError } from '../../src/core/errors/sluice-error.js';
import type { Next } from '../../src/core/next.js';

/** Notes or warnings as they are said, each with its steps behind it. */
export const into =
  (said: string[]) =>
  (text: string, next?: Next): void =>
    void said.push([text, ...[next ?? []].flat()].join('; '));

/** A predicate for assert.throws: an error of that code, whose message, facts and steps match. */
export const isSluice =
  (code: string, ...patterns: RegExp[]) =>
  (error: unknown) => {
    assert.ok(error instanceof SluiceError, String(error));
    assert.equal(error.code, code);
    const said = [error.message, JSON.stringify(error.facts), ...[error.facts.next ?? []].flat()].join('\n');
    for (const pattern of patterns) assert.match(said, pattern);
    return true;
  };
