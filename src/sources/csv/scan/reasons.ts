/**
 * Why a record does not go to the server as it is, one for each way in which COPY would read it otherwise than our
 * reader, or refuse it:
 *
 * - `not_utf8`: bytes that are not UTF-8
 * - `nul_byte`: a NUL, which PostgreSQL does not hold
 * - `end_of_data`: `\.` alone on a line, which before PostgreSQL 18 ends the data
 * - `line_ends`: a line end of another kind than that of the first record (COPY refuses it), or a bare carriage return
 * - `quote`: a quote that does not begin or end a whole field, or is never closed (COPY toggles at every quote)
 * - `field_count`: more or fewer fields than there are columns
 * - `blank_line`: our reader leaves it out, COPY has too few fields; with one column it is a record to both
 * - `null`: nothing where the column must have something
 * - `value`: one that its column's check is not sure about
 * - `too_long`: longer than a record may be
 */
export type GateReason =
  | 'not_utf8'
  | 'nul_byte'
  | 'end_of_data'
  | 'line_ends'
  | 'quote'
  | 'field_count'
  | 'blank_line'
  | 'null'
  | 'value'
  | 'too_long';
