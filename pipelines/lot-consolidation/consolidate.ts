import { named, type Rejection, type Stage, within } from 'sluice';
import { extend } from 'sluice/transforms';
import { isNewNumber, makesNumber, monthOfOldNumber, newLotNumber } from './numbers.js';
import { GROUP, type OldSerial } from './source.js';

/** A line that names its LOT. */
type OfLot = OldSerial & { readonly lot_id: string };

/** A serial with the LOT that it goes to. */
export type Consolidated = OfLot & NewLot;

type NewLot = {
  readonly new_lot_id: string;
  readonly new_lot_number: string;
  /** Its LOT was in the new format already: LOT and serial stay as they are. */
  readonly kept: boolean;
  /** Why its LOT stays as it is, where something is wrong with it: then `kept` is true. */
  readonly wrong: Rejection | undefined;
  /** The number that a kept serial has within its LOT; those that join its group go on after it. */
  readonly sequence: number | undefined;
};

const withNewLot = extend<NewLot>('new_lot_id', 'new_lot_number', 'kept', 'wrong', 'sequence');

/** The reason under which kept rows are counted. */
export const KEPT = 'already_in_the_new_format';

/** What is known of one old LOT: all its serials share it. */
interface Verdict {
  readonly lotId: string;
  readonly key: string;
  readonly number: string;
  readonly kept: boolean;
  readonly wrong: Rejection | undefined;
}

/**
 * Gives every serial the LOT it goes to. LOTs of one (line, model, month) become one: the one that has
 * the group's new number already, else the one of the smallest id, which is the first in LOT_ORDER. LOTs
 * in the new format stay as they are. So do those that cannot be consolidated, with their serials, and are counted as
 * left: missing_line, missing_model, malformed_lot_number, malformed_code, month_disagrees. All lines of a LOT say the same
 * of it (see `linesAgree`). Rejects, of files: a line that names no LOT (missing_lot_id).
 */
const consolidateAll: Stage<OldSerial, Consolidated> = named('consolidate', async function* (rows, run) {
  let verdict: Verdict | undefined;
  let group: { readonly key: string; readonly lotId: string; readonly number: string } | undefined;
  // Rows of LOTs that stay as they are and come in the midst of a group, which must not be parted: none, in LOT_ORDER.
  let aside: Consolidated[] = [];
  for await (const chunk of rows) {
    const out: Consolidated[] = [];
    let kept = 0;
    const left = new Map<string, number>();
    for (const row of chunk) {
      if (!namesLot(row)) {
        run.reject(row, NO_LOT);
        continue;
      }
      if (verdict === undefined || verdict.lotId !== row.lot_id) verdict = judge(row);
      const { key, wrong } = verdict;
      if (group !== undefined && group.key !== key && (wrong === undefined || groupOf(row) !== group.key)) {
        out.push(...aside);
        aside = [];
        group = undefined;
      }
      if (wrong !== undefined) {
        left.set(wrong.reason, (left.get(wrong.reason) ?? 0) + 1);
        (group === undefined ? out : aside).push(
          withNewLot(row, {
            new_lot_id: row.lot_id,
            new_lot_number: verdict.number,
            kept: true,
            wrong,
            sequence: undefined,
          }),
        );
        continue;
      }
      group ??= { key, lotId: row.lot_id, number: verdict.number };
      const sequence = verdict.kept ? sequenceOf(row.serial_number, group.number) : undefined;
      // The renumbering counts the kept serials that have a number; these are the others.
      if (verdict.kept && sequence === undefined) kept += 1;
      out.push(
        withNewLot(row, {
          new_lot_id: group.lotId,
          new_lot_number: group.number,
          kept: verdict.kept,
          wrong,
          sequence,
        }),
      );
    }
    if (kept > 0) run.keep(KEPT, kept);
    for (const [reason, count] of left) run.leave(reason, count);
    if (out.length > 0) yield out;
  }
  if (aside.length > 0) yield aside;
});

/** Groups of one part know nothing of those of others; a new LOT is of one group, or one that stays as it is. */
export const consolidate = within<OldSerial, Consolidated>([...GROUP], consolidateAll, {
  keeps: true,
  gives: ['new_lot_id'],
  sets: ['new_lot_number', 'kept', 'wrong', 'sequence'],
});

const groupOf = (row: OldSerial) =>
  `${row.production_line_id}|${row.product_model_id}|${row.production_month ?? ''}`;

const namesLot = (row: OldSerial): row is OfLot => row.lot_id !== null;

/** Why a line is rejected that names no LOT. */
export const NO_LOT: Rejection = {
  reason: 'missing_lot_id',
  column: 'lot_id',
  message: 'the line names no LOT',
};

function judge(row: OfLot): Verdict {
  const { lot_id: lotId } = row;
  const line = row.line_code;
  const model = row.model_code;
  const month = row.production_month ?? '';
  const lot = row.lot_number ?? '';
  const base = { lotId, wrong: undefined };
  const leave = (wrong: Rejection): Verdict => ({
    ...base,
    key: `LOT ${lotId}`,
    number: lot,
    kept: true,
    wrong,
  });

  const own = line !== null && model !== null ? newLotNumber(line, model, month) : undefined;
  const key = groupOf(row);
  const isMade = line !== null && model !== null && makesNumber(line, model, month);
  if (isMade && lot === own) return { ...base, key, number: lot, kept: true };
  // A number of the new format that is not its own group's stays, and stays out of the group.
  if (isNewNumber(lot)) return { ...base, key: `LOT ${lotId}`, number: lot, kept: true };
  if (line === null)
    return leave({
      reason: 'missing_line',
      column: 'line_code',
      message: `LOT ${lot} has no production line`,
    });
  if (model === null)
    return leave({
      reason: 'missing_model',
      column: 'model_code',
      message: `LOT ${lot} has no product model`,
    });
  const said = monthOfOldNumber(lot);
  if (said === undefined)
    return leave({
      reason: 'malformed_lot_number',
      column: 'lot_number',
      value: lot,
      expected: 'WF-KR-YYMMDD{D|N}-nnn',
      message: `the LOT number ${lot} is neither old (WF-KR-YYMMDD{D|N}-nnn) nor new (LI14PSA2511)`,
    });
  if (said !== month)
    return leave({
      reason: 'month_disagrees',
      column: 'production_month',
      value: month,
      expected: said,
      message: `LOT ${lot} is of ${said} by its number and of ${month} by its production_month`,
    });
  if (own === undefined || !isMade)
    return leave({
      reason: 'malformed_code',
      column: line.length === 4 ? 'model_code' : 'line_code',
      value: `${line} ${model} ${month}`,
      expected: 'a line of 4 (KR01), a model of 3 characters (PSA) and a month YYMM',
      message: `line ${line}, model ${model} and month ${month} do not make a LOT number of 4, 3 and 4 characters`,
    });
  return { ...base, key, number: own, kept: false };
}

/** Why the LOT of this line could not be consolidated as the line has it; undefined where it could. */
export const wrongWith = (row: OldSerial): Rejection | undefined =>
  namesLot(row) ? judge(row).wrong : NO_LOT;

/** The sequence of a serial number within its LOT; undefined where it is not of the new format. */
function sequenceOf(serial: string | null, lot: string): number | undefined {
  if (serial === null || !serial.startsWith(lot)) return undefined;
  const rest = serial.slice(lot.length);
  return /^\d{1,9}$/.test(rest) ? Number(rest) : undefined;
}
