import { named, type Run, type Stage, within } from 'sluice';
import type { Consolidated } from './consolidate.js';

/** A serial with its new number; none where it is kept, or the line is a LOT without serials. */
export type Renumbered = Consolidated & { readonly new_serial_number?: string };

/** One group as the report shows it. */
export interface Consolidation extends Readonly<Record<string, unknown>> {
  readonly lot: string;
  readonly kept_lot: string;
  readonly lots: number;
  readonly serials: number;
  readonly first: string;
  readonly last: string;
}

/** Of each old LOT the log names so many serials at its start and at its end. */
const FIRST_LOGGED = 5;
const LAST_LOGGED = 2;

interface OpenLot {
  readonly id: string;
  readonly number: string;
  readonly kept: boolean;
  serials: number;
  /** Each `old → new`. */
  readonly first: string[];
  readonly last: string[];
}

interface OpenGroup {
  readonly lotId: string;
  readonly lot: string;
  readonly kept: boolean;
  lots: number;
  serials: number;
  first: string;
  last: string;
  /** The first lines, so that a group of many LOTs stays one readable line. */
  readonly names: string[];
}

/**
 * One row for every group that changes, and the log's account of it: every consolidation, every LOT that
 * goes, and of every old LOT the first 5 and last 2 serials.
 */
const summariseAll: Stage<Renumbered, Consolidation> = named('summarise', async function* (rows, run) {
  let group: OpenGroup | undefined;
  let lot: OpenLot | undefined;
  for await (const chunk of rows) {
    const done: Consolidation[] = [];
    let added = 0;
    for (const row of chunk) {
      if (group === undefined || group.lotId !== row.new_lot_id || lot?.id !== row.lot_id) {
        endLot(lot, run);
        lot = undefined;
        if (group !== undefined && group.lotId !== row.new_lot_id) {
          const ended = endGroup(group, run);
          if (ended !== undefined) {
            done.push(ended);
            added += 1;
          }
          group = undefined;
        }
        group ??= startGroup(row);
        lot = {
          id: row.lot_id,
          number: row.lot_number ?? '',
          kept: row.kept,
          serials: 0,
          first: [],
          last: [],
        };
        if (!row.kept) {
          group.lots += 1;
          if (group.names.length < 10) group.names.push(lot.number);
          if (row.lot_id !== row.new_lot_id)
            run.log.info('LOT goes: its serials move', {
              lot_id: row.lot_id,
              lot_number: row.lot_number,
              into_lot_id: row.new_lot_id,
              into: row.new_lot_number,
            });
        }
      }
      if (row.kept || row.new_serial_number === undefined) continue;
      if (group.serials === 0) group.first = row.new_serial_number;
      group.serials += 1;
      group.last = row.new_serial_number;
      lot.serials += 1;
      const shown = lot.serials <= FIRST_LOGGED ? lot.first : lot.last;
      if (shown === lot.last && shown.length === LAST_LOGGED) shown.shift();
      shown.push(`${row.serial_number} → ${row.new_serial_number}`);
    }
    run.merge('one_line_a_group', chunk.length);
    if (added > 0) run.add('one_line_a_group', added);
    if (done.length > 0) yield done;
  }
  endLot(lot, run);
  const ended = group === undefined ? undefined : endGroup(group, run);
  if (ended !== undefined) {
    run.add('one_line_a_group', 1);
    yield [ended];
  }
});

export const summarise = within<Renumbered, Consolidation>(['new_lot_id'], summariseAll);

function startGroup(row: Renumbered): OpenGroup {
  return {
    lotId: row.new_lot_id,
    lot: row.new_lot_number,
    kept: row.kept,
    lots: 0,
    serials: 0,
    first: '',
    last: '',
    names: [],
  };
}

/** A group in which nothing changes (its LOT has its new number, nobody joins it) is no consolidation. */
function endGroup(group: OpenGroup, run: Run): Consolidation | undefined {
  if (group.lots === 0) return undefined;
  const more = group.lots - group.names.length;
  run.log.info('LOTs consolidated', {
    lot_id: group.lotId,
    lot_number: group.lot,
    from: more > 0 ? [...group.names, `and ${more} more`] : group.names,
    serials: group.serials,
    first: group.first,
    last: group.last,
  });
  return {
    lot: group.lot,
    kept_lot: group.lotId,
    lots: group.lots,
    serials: group.serials,
    first: group.first,
    last: group.last,
  };
}

/** One line a LOT, since there are many thousands of them. */
function endLot(lot: OpenLot | undefined, run: Run): void {
  if (lot === undefined || lot.kept || lot.serials === 0) return;
  const { number, serials, first, last } = lot;
  const left = serials - first.length - last.length;
  run.log.info('serials renumbered', {
    lot_number: number,
    serials,
    named: left > 0 ? [...first, `… ${left} more`, ...last] : [...first, ...last],
  });
}
