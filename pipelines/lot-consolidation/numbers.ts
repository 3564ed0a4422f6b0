/**
 * The number formats of the LOT system, from its migration guide:
 *   old LOT     WF-KR-YYMMDD{D|N}-nnn             WF-KR-251118D-001
 *   new LOT     {country 2}{line 2}{model 3}{month 4}   KR01PSA2511
 *   new serial  {new LOT 11}{sequence 3}          KR01PSA2511001
 */
const OLD_LOT = /^WF-KR-(\d{2})(\d{2})(\d{2})[DN]-\d{3}$/;

/** The new LOT format, for JavaScript and (the same text) for PostgreSQL's `~`. */
export const NEW_LOT_PATTERN = '^[A-Z]{2}[0-9]{2}[A-Z0-9]{3}[0-9]{2}(0[1-9]|1[0-2])$';
const NEW_LOT = new RegExp(NEW_LOT_PATTERN);

/** Whether a LOT number is in the new format. */
export function isNewNumber(lotNumber: string): boolean {
  return NEW_LOT.test(lotNumber);
}

/** The month 'YYMM' that an old LOT number names, or undefined where it is malformed (or no such day). */
export function monthOfOldNumber(lotNumber: string): string | undefined {
  const match = OLD_LOT.exec(lotNumber);
  if (match === null) return undefined;
  const [, year, month, day] = match as unknown as [string, string, string, string];
  const date = new Date(Date.UTC(2000 + Number(year), Number(month) - 1, Number(day)));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined;
  return year + month;
}

/** How a consolidated LOT is called: line 4 + model 3 + month 4. */
export function newLotNumber(line: string, model: string, month: string): string {
  return line + model + month;
}
