import type { Run } from './run.js';

/** What opening an input takes: what is found out about it is found out once for all who share. */
export type Around = Pick<Run, 'signal' | 'share'> & Partial<Pick<Run, 'log'>>;

/** The bytes of an input that has a name and can be read more than once: a file, what is at a URL. */
export interface InputBytes {
  /** As messages name it; there is no password in it. */
  readonly name: string;
  /** The file on this machine that they lie in, if they do. */
  readonly path: string | undefined;
  /** How many there are; undefined where nobody knows before their end. */
  readonly size: number | undefined;
  /** When they were changed last, in ISO 8601; undefined where nobody says. */
  readonly modified: string | undefined;
  /**
   * Another one as soon as any byte is written, whatever is done to the times: device, inode and ctime of a file, the
   * strong ETag at a URL. Undefined where nothing tells.
   */
  readonly version: string | undefined;
  /** Another one where the bytes are others, and the same for the same at any time; undefined where they must be read for it. */
  readonly content: string | undefined;
  /**
   * The version by what everybody sees of it, on whatever machine: those who read parts of it elsewhere compare it.
   * Undefined of a file, which has other marks elsewhere.
   */
  readonly tag: string | undefined;
  /** Whether a reading may begin at any byte without those before it. */
  readonly seekable: boolean;
  /** Whether they were compressed on their way here, on top of whatever they are. */
  readonly encoded: boolean;
  /**
   * Those from `from` to before `to` (to the end, where left out), as they lie there; fewer where there are no more. A
   * Buffer is the caller's only until the next one is asked for. Heeds `signal`; lets go of everything when the reader
   * stops early. Throws failed `read_failed` and what else opening it throws; interrupted.
   */
  read(signal: AbortSignal, from?: number, to?: number): AsyncGenerator<Buffer, void>;
}
