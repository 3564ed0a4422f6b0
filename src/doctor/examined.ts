import type { Finding } from '../core/pipeline.js';

/** What a question has shown: how things are, in a sentence, and what is to be said against that. */
export interface Examined {
  readonly name: string;
  readonly is: string;
  readonly findings: readonly Finding[];
}
