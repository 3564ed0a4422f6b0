/** A bounded table that a run leaves behind: shown at its end, stored with the batch. */
export interface Report {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Rows beyond those kept. */
  readonly more: number;
  /** Sentences above the table: totals, say. */
  readonly summary: readonly string[];
}
