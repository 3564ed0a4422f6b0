import { elementAt } from '../element.js';

/** Numbers that depend on a seed, a place and how many were drawn there: any row can be made by itself. */
export class Random {
  #state: number;

  constructor(seed: number, place: string, row: number) {
    let state = seed | 0;
    for (let i = 0; i < place.length; i++) state = Math.imul(state ^ place.charCodeAt(i), 0x9e3779b1);
    this.#state = Math.imul(state ^ row, 0x85ebca6b) ^ row;
    this.next();
  }

  /** From 0 to below 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from 0 to below `n`. */
  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  pick<T extends {}>(from: readonly T[]): T {
    return elementAt(from, this.below(from.length));
  }
}
