import { getFunctionList, getManyValues, isMany, none } from 'stream-chain';
import Assembler from 'stream-json/assembler.js';
import parser, { type Token } from 'stream-json/parser.js';
import { numberOf } from '../../core/json/exact-number.js';
import { MAX_DEPTH } from '../text/depth.js';
import type { PathPart } from './duplicate-key.js';
import { ElementText } from './element-text.js';

/**
 * stream-json's parser as the function that its streams are built of: a piece of text gives all tokens that it
 * completes, and undefined the last ones. A stream would pass each token through an asynchronous generator of
 * its own, which takes longer than the parsing. `jsonStreaming`: one value may follow another. Throws an Error for
 * what is not JSON.
 */
export function tokenParser(jsonStreaming: boolean): (text: string | undefined) => readonly Token[] {
  const stages = getFunctionList(parser({ packValues: true, streamValues: false, jsonStreaming }) as never);
  // Before it in the list stands what decodes bytes.
  const last = stages.at(-1) as (input: string | typeof none) => unknown;
  return (text) => {
    const made = last(text ?? none);
    return isMany(made) ? (getManyValues(made as never) as readonly Token[]) : [];
  };
}

/** What is wrong with an element: it is too deep, or this is the path to a key that its object has already. */
type ElementFault = 'too_deep' | readonly PathPart[];

/**
 * Called for every element of the array: its value, its place in the array (1-based), and what is wrong with it; then
 * also its text, unless that is too long.
 */
export type TakeElement = (
  value: unknown,
  ordinal: number,
  fault: ElementFault | undefined,
  text: string | undefined,
) => void;

/**
 * Puts the elements of one array together from the tokens of a JSON document: numbers without a loss, and
 * `__proto__` as an ordinary key. An element nested deeper than MAX_DEPTH is not put together.
 */
export class ElementReader {
  /** Whether the array was there. */
  found = false;
  /** Grows with every element, and with every token outside the array: while it stands still, memory fills. */
  steps = 0;
  /** Keys of the object at the top, for a message; at most 20. */
  readonly keys: string[] = [];
  /** A key on the way to the array that stands twice in its object: nobody can say which of the values is meant. */
  twice: string | undefined;

  /** Keys in a list are told from each other; in a string, dots stand between keys, and in keys as well. */
  readonly #at: string;
  readonly #between: '.' | '\0';
  readonly #take: TakeElement;
  readonly #assembler = new ExactAssembler();
  // The keys that lead to where we are, outside the array; undefined for an array on the way.
  #path: (string | undefined)[] = [];
  #key: string | undefined;
  #inside = false;
  #depth = 0;
  #tooDeep = false;
  /** Of an element that something is wrong with. */
  #text: ElementText | undefined;
  #ordinal = 0;
  readonly #whole: boolean;
  // The keys to the array that were met, each with those above it.
  readonly #met = new Set<string>();
  readonly #ofObjects: string[] = [];
  readonly #empty: string[] = [];
  /** Of an array that was just opened: what it holds says the next token. */
  #opened: string | undefined;
  #sequence = false;
  #ended = false;

  constructor(at: string | readonly string[], take: TakeElement) {
    this.#between = typeof at === 'string' ? '.' : '\0';
    this.#whole = at.length === 0;
    this.#at = typeof at === 'string' ? at : at.join(this.#between);
    this.#take = take;
  }

  /**
   * The paths of arrays that were passed by and may be one of rows, for a message: those of objects, then empty ones, and
   * the document itself, whatever it holds; at most 20, at most 3 deep. Coordinates and the like are never meant.
   */
  get arrays(): readonly string[] {
    return [...this.#ofObjects, ...this.#empty].slice(0, 20);
  }

  /** Elements so far. */
  get ordinal(): number {
    return this.#ordinal;
  }

  /** Whether the rows are objects one after the other, in no array: looked for where the whole document is. */
  get sequence(): boolean {
    return this.#sequence;
  }

  token(token: Token): void {
    if (!this.#inside && this.#whole && this.#path.length === 0) this.#top(token);
    if (this.#inside) {
      // The first may be no row, but hold the array that is meant.
      if (this.#sequence && this.#ordinal === 0) this.#outside(token);
      this.#element(token);
      return;
    }
    this.steps++;
    this.#outside(token);
  }

  /** The beginning of a value that stands in no other. */
  #top(token: Token): void {
    if (this.#ended || (this.found && token.name !== 'startArray'))
      throw new Error('something else stands after the value that it begins with');
    if (token.name === 'startObject') {
      this.found = true;
      this.#inside = true;
      this.#sequence = true;
    } else if (token.name !== 'startArray') this.#ended = true;
  }

  #element(token: Token): void {
    const opens = token.name === 'startObject' || token.name === 'startArray';
    const closes = token.name === 'endObject' || token.name === 'endArray';
    if (closes && this.#depth === 0) {
      this.#inside = false;
      return;
    }
    if (opens && ++this.#depth > MAX_DEPTH) this.#tooDeep = true;
    if (closes) this.#depth--;
    if (this.#tooDeep) this.#text ??= new ElementText(this.#assembler);
    this.#text?.add(token);
    if (!this.#tooDeep) this.#assembler.consume(token);
    if (this.#assembler.twice !== undefined) this.#text ??= new ElementText(this.#assembler);
    if (this.#depth > 0 || token.name === 'keyValue') return;
    this.steps++;
    const assembler = this.#assembler;
    const fault = this.#tooDeep ? 'too_deep' : assembler.twice;
    this.#take(fault === undefined ? assembler.current : undefined, ++this.#ordinal, fault, this.#text?.text);
    this.#text = undefined;
    if (this.#tooDeep) assembler.dropToLevel(0);
    this.#tooDeep = false;
    assembler.twice = undefined;
  }

  #outside(token: Token): void {
    this.#noteOpened(token.name);
    if (token.name === 'keyValue') {
      this.#key = token.value as string;
      if (this.#path.length === 1 && this.keys.length < 20) this.keys.push(this.#key);
      this.#meet();
    } else if (token.name === 'startObject' || token.name === 'startArray') {
      if (token.name === 'startArray' && this.#isHere()) {
        this.#inside = true;
        this.found = true;
        return;
      }
      if (token.name === 'startArray' && this.#path.length <= 3) {
        const keys = this.#here();
        if (!keys.includes(undefined)) this.#opened = keys.join('.');
      }
      this.#path.push(this.#key);
      this.#key = undefined;
    } else if (token.name === 'endObject' || token.name === 'endArray') {
      this.#key = this.#path.pop();
    }
  }

  #noteOpened(next: Token['name']): void {
    const opened = this.#opened;
    if (opened === undefined) return;
    this.#opened = undefined;
    const list = next === 'startObject' || opened === '' ? this.#ofObjects : this.#empty;
    if ((list === this.#ofObjects || next === 'endArray') && list.length < 20) list.push(opened);
  }

  /** The keys from the top to the value that comes now. */
  #here(): (string | undefined)[] {
    return this.#path.length === 0 ? [] : [...this.#path.slice(1), this.#key];
  }

  /** Notes the key that comes now, if it is one of those that lead to the array. */
  #meet(): void {
    const here = this.#joined();
    if (here === undefined || this.#whole) return;
    if (here !== this.#at && !this.#at.startsWith(here + this.#between)) return;
    // On the way only the same keys again are one key twice; of two arrays of one path nobody can say which is meant.
    const key = here === this.#at ? here : this.#here().join('\0');
    if (this.#met.has(key)) this.twice ??= key.replaceAll('\0', '.');
    this.#met.add(key);
  }

  #isHere(): boolean {
    return this.#whole ? this.#path.length === 0 : this.#path.length > 0 && this.#joined() === this.#at;
  }

  /** The keys from the top; undefined where an array is among them. */
  #joined(): string | undefined {
    const keys = this.#here();
    return keys.includes(undefined) ? undefined : keys.join(this.#between);
  }
}

class ExactAssembler extends Assembler {
  /** The path to the first key that its object had already; whoever reads it sets it back. */
  twice: (string | number)[] | undefined;

  override keyValue(key: string): void {
    this.key = key;
    if (Object.hasOwn(this.current as object, key)) this.twice ??= [...this.path, key];
  }

  override numberValue(literal: string): void {
    this._saveValue(numberOf(literal));
  }

  override stringValue(value: string): void {
    this._saveValue(value);
  }

  /** The base class assigns, which for `__proto__` would change the object's prototype. */
  _saveValue(value: unknown): void {
    if (this.done) {
      this.current = value;
    } else if (Array.isArray(this.current)) {
      this.current.push(value);
    } else if (this.key === '__proto__') {
      Object.defineProperty(this.current, this.key, {
        value,
        writable: true,
        enumerable: true,
        configurable: true,
      });
    } else {
      (this.current as Record<string, unknown>)[this.key as string] = value;
    }
  }
}
