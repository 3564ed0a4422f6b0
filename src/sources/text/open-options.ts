/** How the text of an input is opened. */
export interface OpenOptions {
  /** A label of the WHATWG Encoding Standard; `utf-8` where it is left out. */
  readonly encoding?: string;
  /** @internal The text itself, where it has been opened already; read in place of what is at the path. */
  readonly opened?: AsyncGenerator<Buffer, void> | undefined;
}
