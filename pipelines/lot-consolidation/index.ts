import {
  type Branch,
  flow,
  leaveBehind,
  named,
  nothingLeftBehind,
  noun,
  pipeline,
  plural,
  type Row,
  replace,
  type Stage,
  type Way,
} from 'sluice';
import { type BackupFile, backupFile, report } from 'sluice/sinks';
import { filter, group, map, renumber, sort } from 'sluice/transforms';
import { assessment } from './assess.js';
import { type Consolidated, consolidate, KEPT } from './consolidate.js';
import { type LeftLot, leftLots } from './left.js';
import { monthOfOldNumber } from './numbers.js';
import {
  fitsThreeDigits,
  noSerialWithoutLot,
  numberNotTaken,
  numbersUnique,
  oneLotPerGroup,
  sameNumberOfSerials,
  serialsRunFromOne,
} from './questions.js';
import { restoreLots } from './restore.js';
import { LOT_ORDER, type OldSerial, oldSerials } from './source.js';
import { type Consolidation, type Renumbered, summarise } from './summarise.js';
import { LOT_COLUMNS, SERIAL_COLUMNS } from './tables.js';

const NAME = 'lot-consolidation';

/** A file's lines may come in any order: this brings them into LOT_ORDER, on disk where they are many. */
const inLotOrder = sort<OldSerial>({
  name: 'LOT order',
  by: [
    { column: 'production_line_id', as: 'integer' },
    { column: 'product_model_id', as: 'integer' },
    { column: 'production_month', as: 'text' },
    { column: (row) => numberClass(row as OldSerial), as: 'number' },
    { column: 'lot_id', as: 'integer' },
    { column: 'serial_number', as: 'shortlex' },
    { column: 'serial_id', as: 'integer' },
  ],
});

function numberClass(row: OldSerial): number {
  if (row.lot_number === `${row.line_code}${row.model_code}${row.production_month}`) return 1;
  return monthOfOldNumber(row.lot_number ?? '') === row.production_month ? 2 : 0;
}

const asIs: Stage<OldSerial> = named('in LOT order already', (rows) => rows);

/** One row for every run of rows with the same `by`, made of the first of them. */
function firstOfEach<Out extends Row>(
  by: string,
  name: string,
  make: (first: Renumbered) => Out,
): Stage<Renumbered, Out> {
  return group<Renumbered, Out, Out>({ by, name, start: make, add: () => {}, finish: (made) => made });
}

/** The LOT that represents its group, with the new number; the others of the group go. */
const oneRowPerLot = firstOfEach(
  'new_lot_id',
  'one row per LOT',
  (row): LotRow => ({
    id: row.lot_id,
    lot_number: row.new_lot_number,
    production_line_id: row.production_line_id,
    product_model_id: row.product_model_id,
    production_month: row.production_month,
    status: row.lot_status,
    target_quantity: row.target_quantity,
    created_at: row.lot_created_at,
    closed_at: row.closed_at,
  }),
);
type LotRow = Readonly<Record<(typeof LOT_COLUMNS)[number], string | null>>;

const hasSerial = filter<Renumbered>((row) => row.serial_id !== null, 'lot_without_serials');

const toSerials = map(
  (row: Renumbered) => ({
    id: row.serial_id,
    lot_id: row.new_lot_id,
    serial_number: row.new_serial_number ?? row.serial_number,
    status: row.serial_status,
    created_at: row.serial_created_at,
  }),
  'to serials',
);

/** An id as a JSON number, or as text where a number would not hold all of its digits. */
function jsonId(id: string | null): number | string | null {
  return id !== null && Number.isSafeInteger(Number(id)) ? Number(id) : id;
}

/** What the backup file keeps of every old LOT and serial: enough to put them back from the file alone. */
const oldLots = firstOfEach('lot_id', 'old LOTs', (row) => ({
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
}));

const oldSerialsKept = map(
  (row: Renumbered) => ({
    id: jsonId(row.serial_id),
    old_serial_number: row.serial_number,
    new_serial_number: row.new_serial_number ?? row.serial_number,
    old_lot_id: jsonId(row.lot_id),
    new_lot_id: jsonId(row.new_lot_id),
    status: row.serial_status,
    created_at: row.serial_created_at,
  }),
  'old serials',
);

const lotsInto = (backup: BackupFile) => (rows: Way<Renumbered, Branch>) =>
  rows.through(oldLots).into(backup.section('lots'));
const serialsInto = (backup: BackupFile) => (rows: Way<Renumbered, Branch>) =>
  rows.through(hasSerial, oldSerialsKept).into(backup.section('serials'));

const consolidations = report<Consolidation>('consolidations', () => {
  const total = { groups: 0, lots: 0, serials: 0 };
  return {
    columns: ['lot', 'kept_lot', 'lots', 'serials', 'first', 'last'],
    each(row) {
      total.groups += 1;
      total.lots += row.lots;
      total.serials += row.serials;
    },
    summary: () => [
      total.groups === 0
        ? 'nothing to consolidate: every LOT is in the new format'
        : `${plural(total.groups, 'group')}: ${plural(total.lots, 'LOT')} ${noun(total.lots, 'becomes', 'become')} ${total.groups}, ${plural(total.serials, 'serial')} renumbered`,
    ],
  };
});

const left = report<LeftLot>('left as they are', () => {
  const total = { lots: 0, serials: 0 };
  return {
    columns: ['id', 'lot', 'serials', 'why'],
    each(row) {
      total.lots += 1;
      total.serials += row.serials;
    },
    summary: () =>
      total.lots === 0
        ? []
        : [
            `${plural(total.lots, 'LOT')} with ${plural(total.serials, 'serial')} ${noun(total.lots, 'stays as it is', 'stay as they are')}: correct what is wrong with ${noun(total.lots, 'it', 'them')}, and the next run consolidates ${noun(total.lots, 'it', 'them')}`,
          ],
  };
});

export default pipeline({
  name: NAME,
  summary: 'One LOT per line, model and month; its serials renumbered 001, 002, …',
  inputs: { serials: oldSerials },
  tables: {
    // That there are fewer LOTs afterwards is the point; the serials must all be there.
    lots: replace('lots', { columns: LOT_COLUMNS, maxShrink: 100 }),
    serials: replace('serials', { columns: SERIAL_COLUMNS }),
  },
  settings: {
    overflow: {
      summary: 'a group of more than 999 serials: refuse it, or widen its sequence',
      default: 'refuse',
      values: ['refuse', 'widen'],
    },
    leave_behind: leaveBehind,
    backup: {
      summary: 'write migration_backup_<time>.json, from which `rollback --backup-file` restores',
      default: 'on',
      values: ['on', 'off'],
    },
  },
  checks: [nothingLeftBehind(['serials']), fitsThreeDigits, numberNotTaken],
  assess: assessment,
  backup: { tables: ['production_lines', 'product_models'] },
  flows: ({ inputs, tables, settings }) => {
    const backup = backupFile('migration_backup', { pipeline: NAME });
    const numbered = renumber<Consolidated, 'new_serial_number'>({
      within: 'new_lot_id',
      as: 'new_serial_number',
      prefix: 'new_lot_number',
      width: 3,
      overflow: settings.overflow === 'widen' ? 'widen' : 'refuse',
      // A LOT without serials has nothing to number; serials of kept LOTs stay as they are.
      only: (row) => row.serial_id !== null && (!row.kept || row.sequence !== undefined),
      taken: (row) => row.sequence,
      takenReason: KEPT,
    });
    return [
      flow(inputs.serials)
        .through(inputs.serials.order === LOT_ORDER ? asIs : inLotOrder, consolidate, numbered)
        .fork(
          (rows) => rows.through(oneRowPerLot).into(tables.lots),
          (rows) => rows.through(hasSerial, toSerials).into(tables.serials),
          (rows) => rows.through(summarise).into(consolidations),
          (rows) => rows.through(leftLots).into(left),
          ...(settings.backup === 'on' ? [lotsInto(backup), serialsInto(backup)] : []),
        ),
    ];
  },
  validations: [numbersUnique, oneLotPerGroup, serialsRunFromOne, sameNumberOfSerials, noSerialWithoutLot],
  restore: restoreLots,
});
