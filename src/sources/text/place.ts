/** A place in a text: its byte (of the unpacked UTF-8 text, 0-based), and the line (1-based) that begins there. */
export interface TextPlace {
  readonly offset: number;
  readonly line: number;
}
