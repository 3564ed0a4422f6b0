/**
 * The number formats of the LOT system, from its migration guide:
 *   old LOT     WF-KR-YYMMDD{D|N}-nnn             WF-KR-251118D-001
 *   new LOT     {country 2}{line 2}{model 3}{month 4}   KR01PSA2511
 *   new serial  {new LOT 11}{sequence 3}          KR01PSA2511001
 */

/** The old LOT format, with a day that there was, for JavaScript and (the same text) for PostgreSQL's `~`. */
export const OLD_LOT_PATTERN = `^WF-KR-(?:[0-9]{2}(?:${[
  '(?:0[13578]|1[02])(?:0[1-9]|[12][0-9]|3[01])',
  '(?:0[469]|11)(?:0[1-9]|[12][0-9]|30)',
  '02(?:0[1-9]|1[0-9]|2[0-8])',
].join('|')})|(?:[02468][048]|[13579][26])0229)[DN]-[0-9]{3}$`;
const OLD_LOT = new RegExp(OLD_LOT_PATTERN);

/**
 * How a new LOT number is known whose line and model nobody names, for JavaScript and (the same text) for PostgreSQL's
 * `~`. Those that lines and models make may have other characters (see `makesNumber`).
 */
export const NEW_LOT_PATTERN = '^[A-Z]{2}[0-9]{2}[A-Z0-9]{3}[0-9]{2}(0[1-9]|1[0-2])$';
const NEW_LOT = new RegExp(NEW_LOT_PATTERN);

const LINE = '^\\S{4}$';
const MODEL = '^\\S{3}$';
const MONTH = '^[0-9]{2}(0[1-9]|1[0-2])$';

/** Whether line, model and month make a LOT number of 11 characters: 4, 3 and 4. */
export function makesNumber(line: string, model: string, month: string): boolean {
  const is = (code: string, pattern: string) => new RegExp(pattern, 'u').test(code);
  return is(line, LINE) && is(model, MODEL) && is(month, MONTH);
}

/** SQL: the same of a row `l` of lots with its line `p` and its model `m`. */
export const MAKES_NUMBER = `(p.line_code ~ '${LINE}' AND m.model_code ~ '${MODEL}' AND l.production_month ~ '${MONTH}')`;

/** Whether a LOT number looks like one of the new format. */
export function isNewNumber(lotNumber: string): boolean {
  return NEW_LOT.test(lotNumber);
}

/** The month 'YYMM' that an old LOT number names, or undefined where it is malformed (or no such day). */
export function monthOfOldNumber(lotNumber: string): string | undefined {
  return OLD_LOT.test(lotNumber) ? lotNumber.slice(6, 10) : undefined;
}

/**
 * SQL: whether the LOT of the row `lot`, which is not in the new format, joins its group: its number is an old one, and
 * of the month that the LOT says. Others stay as they are.
 */
export function joinsGroup(lot: string): string {
  return `(${lot}.lot_number ~ '${OLD_LOT_PATTERN}' AND substr(${lot}.lot_number, 7, 4) = ${lot}.production_month)`;
}

/** How a consolidated LOT is called: line 4 + model 3 + month 4. */
export function newLotNumber(line: string, model: string, month: string): string {
  return line + model + month;
}
