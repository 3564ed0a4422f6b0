import { type AnyRow, type Row, type Stage, stateless, type Target } from 'sluice';
import { filter, group, map } from 'sluice/transforms';
import { type Carrying, carrying } from './others.js';
import type { Renumbered } from './summarise.js';
import type { LOT_COLUMNS, SERIAL_COLUMNS } from './tables.js';

/** The pipeline's tables, as a run fills them. */
export type Tables = Readonly<Record<Carrying, Target>>;

type LotRow = Readonly<Record<(typeof LOT_COLUMNS)[number], string | null>>;
type SerialRow = Readonly<Record<(typeof SERIAL_COLUMNS)[number], string | null>>;

/** One row for every run of rows with the same `by`, made of the first of them. */
export function firstOfEach<Out extends AnyRow = Row>(
  by: Extract<keyof Renumbered, string>,
  name: string,
  make: (first: Renumbered) => Out,
): Stage<Renumbered, Out> {
  return group<Renumbered, Out, Out>({ by, name, start: make, add: () => {}, finish: (made) => made });
}

/** The rows that are a serial, and not a LOT without any. */
export const hasSerial = stateless(
  filter<Renumbered>((row) => row.serial_id !== null, 'lot_without_serials'),
);

/** The LOT that represents its group, with the new number; the others of the group go. */
export function toLots({ lots }: Tables): Stage<Renumbered, LotRow> {
  const withOthers = carrying('lots', lots.columns);
  return firstOfEach('new_lot_id', 'one row per LOT', (row) =>
    withOthers<LotRow>(
      {
        id: row.lot_id,
        lot_number: row.new_lot_number,
        production_line_id: row.production_line_id,
        product_model_id: row.product_model_id,
        production_month: row.production_month,
        status: row.lot_status,
        target_quantity: row.target_quantity,
        created_at: row.lot_created_at,
        closed_at: row.closed_at,
      },
      row,
    ),
  );
}

/** Every serial with its new LOT and number. */
export function toSerials({ serials }: Tables): Stage<Renumbered, SerialRow> {
  const withOthers = carrying('serials', serials.columns);
  return stateless(
    map(
      (row: Renumbered) =>
        withOthers<SerialRow>(
          {
            id: row.serial_id,
            lot_id: row.new_lot_id,
            serial_number: row.new_serial_number ?? row.serial_number,
            status: row.serial_status,
            created_at: row.serial_created_at,
          },
          row,
        ),
      'to serials',
    ),
  );
}
