import { flow, leaveBehind, nothingLeftBehind, noun, pipeline, plural, replace } from 'sluice';
import { backupFile, report } from 'sluice/sinks';
import { renumber } from 'sluice/transforms';
import { assessment } from './assess.js';
import { intoBackup } from './backup-rows.js';
import { fitsThreeDigits, numberNotTaken, serialNotTaken, serialsHaveLots, staysUnique } from './checks.js';
import { type Consolidated, consolidate, KEPT } from './consolidate.js';
import { carriedInFile, fileHasOthers, hasOthers, inLotOrder } from './file.js';
import { type LeftLot, leftLots } from './left.js';
import { linesAgree } from './lot-lines.js';
import { hasSerial, toLots, toSerials } from './new-rows.js';
import { filledColumns } from './others.js';
import { referencesHold } from './references.js';
import { restoreLots } from './restore.js';
import { LOT_ORDER, oldSerials } from './source.js';
import { type Consolidation, summarise } from './summarise.js';
import { LOT_COLUMNS, SERIAL_COLUMNS } from './tables.js';
import {
  noSerialWithoutLot,
  numbersAsMade,
  numbersUnique,
  oneLotPerGroup,
  othersAsBefore,
  sameNumberOfSerials,
  serialsOfFile,
  serialsRunFromOne,
} from './validations.js';

const NAME = 'lot-consolidation';

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
  indispensable: ['serials'],
  checks: [
    nothingLeftBehind(['serials'], carriedInFile),
    fileHasOthers,
    serialsHaveLots,
    staysUnique,
    fitsThreeDigits,
    numberNotTaken,
    serialNotTaken,
    referencesHold,
  ],
  assess: assessment,
  backup: { tables: ['production_lines', 'product_models'] },
  // Columns of one's own go along.
  fills: filledColumns,
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
    const input = flow(inputs.serials);
    const inOrder =
      inputs.serials.order === LOT_ORDER
        ? input
        : input.through(hasOthers(tables, settings), linesAgree, inLotOrder);
    return [
      inOrder.through(consolidate, numbered).fork(
        (rows) => rows.through(toLots(tables)).into(tables.lots),
        (rows) => rows.through(hasSerial, toSerials(tables)).into(tables.serials),
        (rows) => rows.through(summarise).into(consolidations),
        (rows) => rows.through(leftLots).into(left),
        ...(settings.backup === 'on' ? intoBackup(backup, tables) : []),
      ),
    ];
  },
  validations: [
    numbersUnique,
    numbersAsMade,
    oneLotPerGroup,
    serialsRunFromOne,
    sameNumberOfSerials,
    serialsOfFile,
    noSerialWithoutLot,
    othersAsBefore,
  ],
  restore: restoreLots,
});
