import { named, type Stage, within } from 'sluice';
import type { Renumbered } from './summarise.js';

/** A LOT that stays as it is because something is wrong with it, as the report shows it. */
export interface LeftLot extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly lot: string;
  readonly serials: number;
  readonly why: string;
}

/** One row for every LOT that could not be consolidated, with the reason. Rows of one LOT stand together. */
const leftOfAll: Stage<Renumbered, LeftLot> = named('LOTs left as they are', async function* (rows, run) {
  let lot: { -readonly [K in 'id' | 'lot' | 'serials' | 'why']: LeftLot[K] } | undefined;
  for await (const chunk of rows) {
    const done: LeftLot[] = [];
    for (const row of chunk) {
      if (lot !== undefined && lot.id !== row.lot_id) {
        done.push(lot);
        lot = undefined;
      }
      if (row.wrong === undefined) continue;
      lot ??= {
        id: row.lot_id,
        lot: row.lot_number ?? '',
        serials: 0,
        why: row.wrong.message ?? row.wrong.reason,
      };
      if (row.serial_id !== null) lot.serials += 1;
    }
    run.merge('one_line_a_lot', chunk.length);
    if (done.length > 0) {
      run.add('one_line_a_lot', done.length);
      yield done;
    }
  }
  if (lot !== undefined) {
    run.add('one_line_a_lot');
    yield [lot];
  }
});

export const leftLots = within<Renumbered, LeftLot>(['lot_id'], leftOfAll);
