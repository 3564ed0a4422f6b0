import {
  again,
  flow,
  json,
  type Pipeline,
  pipeline,
  plural,
  replace,
  type Validation,
  validation,
} from 'sluice';
import { map } from 'sluice/transforms';
import { LOT_COLUMNS, SERIAL_COLUMNS } from './tables.js';

type Kept = Readonly<Record<string, string | number | null>>;

const oldLot = map(
  (row: Kept) => ({
    id: row.id,
    lot_number: row.old_lot_number,
    production_line_id: row.production_line_id,
    product_model_id: row.product_model_id,
    production_month: row.production_month,
    status: row.status,
    target_quantity: row.target_quantity,
    created_at: row.created_at,
    closed_at: row.closed_at,
  }),
  'old LOT',
);

const oldSerial = map(
  (row: Kept) => ({
    id: row.id,
    lot_id: row.old_lot_id,
    serial_number: row.old_serial_number,
    status: row.status,
    created_at: row.created_at,
  }),
  'old serial',
);

/** Rows that came into live after the backup was written are not in it, and would be lost. */
const nothingNewer: Validation = validation(
  'nothing-newer',
  'live holds no LOT and no serial that the backup lacks',
  async ({ database, staged, live }) => {
    const [newer] = await database.query<{ lots: string; serials: string }>(
      `SELECT (SELECT count(*) FROM ${live('lots')} l WHERE NOT EXISTS (SELECT FROM ${staged('lots')} s WHERE s.id = l.id)) AS lots,
              (SELECT count(*) FROM ${live('serials')} l WHERE NOT EXISTS (SELECT FROM ${staged('serials')} s WHERE s.id = l.id)) AS serials`,
    );
    if (newer === undefined || (newer.lots === '0' && newer.serials === '0')) return [];
    return [
      {
        severity: 'error',
        message: `${plural(Number(newer.lots), 'LOT')} and ${plural(Number(newer.serials), 'serial')} in live are not in the backup file and would be lost`,
        next: again(
          { flags: { discardWrites: true } },
          { lead: 'save them elsewhere first; then, to lose them' },
        ),
      },
    ];
  },
);

/** The pipeline that puts back what `file` (a migration_backup_….json) holds. */
export function restoreLots(file: string, options: { readonly discardWrites: boolean }): Pipeline {
  return pipeline({
    name: 'lot-consolidation-restore',
    summary: `Puts LOTs and serials back as ${file} has them`,
    inputs: {
      lots: json<Kept>(file, { at: 'lots' }),
      serials: json<Kept>(file, { at: 'serials' }),
    },
    tables: {
      lots: replace('lots', { columns: LOT_COLUMNS }),
      serials: replace('serials', { columns: SERIAL_COLUMNS }),
    },
    flows: ({ inputs, tables }) => [
      flow(inputs.lots).through(oldLot).into(tables.lots),
      flow(inputs.serials).through(oldSerial).into(tables.serials),
    ],
    validations: options.discardWrites ? [] : [nothingNewer],
  });
}
