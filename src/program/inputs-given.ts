import type { Source } from '../core/types.js';

/** One input as the command line gives it: its file, and whether that is a JSON document of several inputs. */
export interface GivenFile {
  readonly path: string;
  readonly document?: boolean;
  /** Of its text; UTF-8 where left out. */
  readonly encoding?: string;
}

/** What is read as an input: a source, the path of a file in any format, or such a file and its encoding. */
export type InputGiven = Source | GivenFile | string;

/** By the names of the pipeline's inputs. */
export type InputsGiven = Readonly<Record<string, InputGiven>>;
