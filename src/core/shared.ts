/** Something costly that several sources of a run use together, and its end. */
interface Kept {
  readonly made: Promise<unknown>;
  readonly release: (made: never) => Promise<void> | void;
}

/** What the sources of one run share: made when first asked for, released once when the run is over. */
export class Shared {
  readonly #kept = new Map<string, Kept>();

  /**
   * What `make` gives, made once for every `key`; a making that failed is tried again. `release` is called by
   * `releaseAll`, and only for what was made.
   */
  share<T>(key: string, make: () => Promise<T>, release: (made: T) => Promise<void> | void): Promise<T> {
    const known = this.#kept.get(key);
    if (known !== undefined) return known.made as Promise<T>;
    const made = make();
    this.#kept.set(key, { made, release });
    made.catch(() => this.#kept.delete(key));
    return made;
  }

  /** Releases everything; never throws because of it. */
  async releaseAll(): Promise<void> {
    const all = [...this.#kept.values()];
    this.#kept.clear();
    for (const { made, release } of all)
      try {
        await release((await made) as never);
      } catch {
        // What could not be made needs no release, and a failed one leaves a scratch file at worst.
      }
  }
}
