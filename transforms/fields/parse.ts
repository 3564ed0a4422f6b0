import { stageErrors } from '../../src/core/errors/catalogue/stages.js';

/** One transform as a mapping writes it: its name, and its arguments. */
export interface Call {
  readonly name: string;
  readonly args: readonly string[];
}

/**
 * Reads the transforms of a field mapping:
 *
 *   transforms = call { "|" call }
 *   call       = name [ "(" [ argument { "," argument } ] ")" ]
 *   name       = a-z, then a-z, 0-9 and _
 *   argument   = text without , ( ) | and ', the spaces around it left out
 *              | ' any text, a ' in it doubled '
 *
 * Empty text is no transform at all. Spaces around names and signs mean nothing. Throws the usage error
 * `bad_transform`, with the place.
 */
export function parseTransforms(text: string): Call[] {
  const calls: Call[] = [];
  let at = 0;
  const wrong = (expected: string) => stageErrors.bad_transform.syntax({ text, expected, at: at + 1 });
  const spaces = () => {
    while (text[at] === ' ') at++;
  };
  const take = (sign: string) => {
    spaces();
    if (text[at] !== sign) return false;
    at++;
    return true;
  };
  const name = () => {
    spaces();
    const found = /^[a-z][a-z0-9_]*/.exec(text.slice(at))?.[0];
    if (found === undefined) throw wrong('the name of a transform');
    at += found.length;
    return found;
  };
  const quoted = () => {
    let value = '';
    for (;;) {
      const end = text.indexOf("'", at);
      if (end < 0) {
        at = text.length;
        throw wrong("a closing '");
      }
      value += text.slice(at, end);
      at = end + 1;
      if (text[at] !== "'") return value;
      value += "'";
      at++;
    }
  };
  const argument = () => {
    spaces();
    if (take("'")) return quoted();
    const found = /^[^,()|']*/.exec(text.slice(at))?.[0] ?? '';
    at += found.length;
    return found.trim();
  };
  if (text.trim() === '') return [];
  do {
    const called = name();
    const args: string[] = [];
    if (take('(') && !take(')')) {
      do args.push(argument());
      while (take(','));
      if (!take(')')) throw wrong(', or )');
    }
    calls.push({ name: called, args });
  } while (take('|'));
  spaces();
  if (at < text.length) throw wrong('| or the end');
  return calls;
}
