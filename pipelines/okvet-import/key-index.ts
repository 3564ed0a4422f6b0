/** Slots per key at least: beyond it, looking becomes slow. */
const SPARE = 1.7;

/**
 * Numbers keys 0, 1, 2, … in the order in which they are added. Keys lie in typed arrays (2 bytes a character
 * and about 15 for each key), not as strings: a million of them cost no more than that, and the garbage collector nothing.
 */
export class KeyIndex {
  #count = 0;
  #slots = new Int32Array(2048).fill(-1);
  /** Where each key begins in `#text`; the next one's beginning is its end. */
  #starts = new Uint32Array(1025);
  #hashes = new Int32Array(1024);
  #text = new Uint16Array(16_384);

  /** Keys so far. */
  get size(): number {
    return this.#count;
  }

  /** The number of `key`, or -1. */
  find(key: string): number {
    const hash = hashOf(key);
    const mask = this.#slots.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const number = this.#slots[at] ?? -1;
      if (number < 0 || (this.#hashes[number] === hash && this.#is(number, key))) return number;
    }
  }

  /** The number of `key`, which is added where it is new. */
  add(key: string): number {
    const found = this.find(key);
    if (found >= 0) return found;
    const number = this.#count++;
    if (number * SPARE >= this.#slots.length) this.#spread();
    if (number === this.#hashes.length) {
      this.#hashes = grown(this.#hashes, Int32Array, number + 1);
      this.#starts = grown(this.#starts, Uint32Array, number + 2);
    }
    const start = this.#starts[number] ?? 0;
    const end = start + key.length;
    if (end > this.#text.length) this.#text = grown(this.#text, Uint16Array, end);
    for (let i = 0; i < key.length; i++) this.#text[start + i] = key.charCodeAt(i);
    this.#starts[number + 1] = end;
    const hash = hashOf(key);
    this.#hashes[number] = hash;
    this.#place(number, hash);
    return number;
  }

  /** The key of that number. */
  key(number: number): string {
    const [start, end] = [this.#starts[number], this.#starts[number + 1]];
    return String.fromCharCode(...this.#text.subarray(start, end));
  }

  #is(number: number, key: string): boolean {
    const start = this.#starts[number] ?? 0;
    if ((this.#starts[number + 1] ?? 0) - start !== key.length) return false;
    for (let i = 0; i < key.length; i++) if (this.#text[start + i] !== key.charCodeAt(i)) return false;
    return true;
  }

  #place(number: number, hash: number): void {
    const mask = this.#slots.length - 1;
    let at = hash & mask;
    while ((this.#slots[at] ?? -1) >= 0) at = (at + 1) & mask;
    this.#slots[at] = number;
  }

  #spread(): void {
    this.#slots = new Int32Array(this.#slots.length * 2).fill(-1);
    for (let number = 0; number < this.#count - 1; number++) this.#place(number, this.#hashes[number] ?? 0);
  }
}

type Typed = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array;

/** A copy of `array` with room for at least `least` elements, and for half as many again as it had. */
export function grown<T extends Typed>(array: T, make: new (length: number) => T, least: number): T {
  const longer = new make(Math.max(least, Math.ceil(array.length * 1.5)));
  longer.set(array);
  return longer;
}

/** FNV-1a over UTF-16 code units, its upper bits mixed into the lower ones. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 15)) | 0;
}
