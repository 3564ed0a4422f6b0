/** A reject as it is stored and shown. */
export interface StoredReject {
  /** 1-based within the batch, in the order in which they were met; with gaps where a load was resumed. */
  readonly number: number;
  readonly input: string;
  readonly line: number | null;
  readonly byte_offset: number | null;
  readonly record_type: string | null;
  readonly source_id: string | null;
  readonly stage: string;
  readonly reason: string;
  /** Several, separated by commas, where a constraint is of several. */
  readonly column_name: string | null;
  readonly value: string | null;
  readonly expected: string | null;
  readonly sqlstate: string | null;
  /** The constraint that the row breaks, where it breaks one. */
  readonly constraint_name: string | null;
  readonly message: string;
  /**
   * The input's record, or the text that could not be read as one; null where it is not known or not kept. Values of a
   * record are what the input had, though the server's text could not hold them.
   */
  readonly raw: Readonly<Record<string, unknown>> | string | null;
  /** The row as the stage saw it, where that was another than the record. */
  readonly stage_row: Readonly<Record<string, unknown>> | null;
  /** Of a row that was resubmitted: the reject of an earlier batch that it was. */
  readonly resubmits?: { readonly batch: string; readonly number: number } | null;
}
