import { type Branch, type FlowBuilder, stateless } from 'sluice';
import type { BackupFile } from 'sluice/sinks';
import { map } from 'sluice/transforms';
import { firstOfEach, hasSerial, type Tables } from './new-rows.js';
import { carrying } from './others.js';
import type { Renumbered } from './summarise.js';

/** An id as a JSON number, or as text where a number would not hold all of its digits. */
function jsonId(id: string | null): number | string | null {
  return id !== null && Number.isSafeInteger(Number(id)) ? Number(id) : id;
}

/**
 * The branches that write what the backup file keeps of every old LOT and serial: enough to put them back from the file
 * alone. The owner's own columns are called as the input calls them, which are no names of the pipeline's.
 */
export function intoBackup(
  backup: BackupFile,
  { lots, serials }: Tables,
): ((rows: FlowBuilder<Renumbered, Branch>) => Branch)[] {
  const lotAlso = carrying('lots', lots.columns, 'as');
  const serialAlso = carrying('serials', serials.columns, 'as');
  const oldLots = firstOfEach('lot_id', 'old LOTs', (row) =>
    lotAlso(
      {
        id: jsonId(row.lot_id),
        old_lot_number: row.lot_number,
        new_lot_number: row.new_lot_number,
        consolidated_into: jsonId(row.new_lot_id),
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
  const oldSerials = stateless(
    map(
      (row: Renumbered) =>
        serialAlso(
          {
            id: jsonId(row.serial_id),
            old_serial_number: row.serial_number,
            new_serial_number: row.new_serial_number ?? row.serial_number,
            old_lot_id: jsonId(row.lot_id),
            new_lot_id: jsonId(row.new_lot_id),
            status: row.serial_status,
            created_at: row.serial_created_at,
          },
          row,
        ),
      'old serials',
    ),
  );
  return [
    (rows) => rows.through(oldLots).into(backup.section('lots')),
    (rows) => rows.through(hasSerial, oldSerials).into(backup.section('serials')),
  ];
}
