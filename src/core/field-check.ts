/**
 * Whether the bytes [start, end) of a field, quotes around it and doubled ones in it being gone, are ones that the
 * server reads exactly as our own column check does: both take them, or both refuse them. False says nothing but that
 * nobody has made sure; then our reader decides. Never asked about NULL, nor about what is not UTF-8 or has a NUL.
 */
export type FieldCheck = (bytes: Uint8Array, start: number, end: number) => boolean;

/** What a column wants of the fields of a text that is handed to the server as it is. */
export interface ColumnForm {
  readonly name: string;
  /** Undefined: any text that is valid UTF-8 without NUL is taken, or refused by the server alone. */
  readonly check?: FieldCheck;
  /** NULL is refused by our own check. */
  readonly notNull?: true;
}
