import type { Token } from 'stream-json/parser.js';
import { jsonText } from '../../core/json/write.js';

/** A record of more text than this is not kept by anybody. */
const MOST_CHARACTERS = 128 * 1024;

/** What of an element is put together so far: containers that are open, each with the key of its next value. */
export interface Assembled {
  /** Outer containers and their keys, one after the other. */
  readonly stack: readonly unknown[];
  readonly current: unknown;
  readonly key: string | null;
}

/**
 * The text of an element of which no value can be made: what was put together of it, and its further tokens as they
 * come. The text is the document's but for blanks, escapes, and the order of keys that are integers.
 */
export class ElementText {
  #text = '';
  /** Whether a comma stands before the next value or key. */
  #comma = false;

  constructor({ stack, current, key }: Assembled) {
    const levels = [...stack, current, key];
    for (let at = 0; at < levels.length; at += 2) this.#open(levels[at], levels[at + 1] as string | null);
  }

  /** The whole element, once its last token was added; undefined for one that is too long. */
  get text(): string | undefined {
    return this.#text.length > MOST_CHARACTERS ? undefined : this.#text;
  }

  add({ name, value }: Token): void {
    if (this.#text.length > MOST_CHARACTERS) return;
    const closes = name === 'endObject' || name === 'endArray';
    const before = this.#comma && !closes ? ',' : '';
    this.#comma = closes || name.endsWith('Value');
    if (name === 'keyValue') this.#comma = false;
    this.#text += `${before}${written(name, value)}`;
  }

  #open(container: unknown, key: string | null): void {
    const whole = (jsonText(container) as string).slice(0, -1);
    const comma = whole.length > 1 ? ',' : '';
    this.#text += `${whole}${comma}${Array.isArray(container) ? '' : `${JSON.stringify(key)}:`}`;
  }
}

function written(name: string, value: unknown): string {
  switch (name) {
    case 'startObject':
      return '{';
    case 'endObject':
      return '}';
    case 'startArray':
      return '[';
    case 'endArray':
      return ']';
    case 'keyValue':
      return `${JSON.stringify(value)}:`;
    case 'stringValue':
      return JSON.stringify(value);
    default:
      // Numbers as they are written, and true, false and null.
      return String(value);
  }
}
