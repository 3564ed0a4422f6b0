import type { Rejection } from './run.js';

/** A row that the server refused: its index (0-based) among the rows handed over in its segment, and why. */
export interface RefusedRow {
  readonly index: number;
  readonly why: Rejection;
}

/** What is known of a segment of a load that is committed; the counts are of the whole load up to it. */
export interface Checkpoint {
  /** Rows handed over, those that the server refused among them. */
  readonly handed: number;
  /** Rows in staging. */
  readonly rows: number;
  /** The rolling hash of the rows handed over. */
  readonly hash: string;
  readonly refused: readonly RefusedRow[];
}
