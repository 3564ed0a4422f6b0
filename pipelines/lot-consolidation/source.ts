import { ident, joined } from 'sluice';
import { joinsGroup } from './numbers.js';
import { type Carrying, carried, othersOf } from './others.js';

/** The columns of the input: one line a serial with its LOT; a LOT without serials has one line. */
export const COLUMNS = [
  'lot_id',
  'lot_number',
  'production_line_id',
  'line_code',
  'product_model_id',
  'model_code',
  'production_month',
  'lot_status',
  'target_quantity',
  'lot_created_at',
  'closed_at',
  'serial_id',
  'serial_number',
  'serial_status',
  'serial_created_at',
] as const;

/** A line of the input: text as the database or the file has it. */
export type OldSerial = Readonly<Record<(typeof COLUMNS)[number], string | null>>;

/**
 * The order the stages rely on: groups together; within one, LOTs that stay out of it first, then the one that has its
 * new number already, then by LOT id, then the serials in their old order: shorter numbers first, then by code.
 */
export const LOT_ORDER = 'groups, LOTs that stay out, new number, LOT id, old serial order';

/** The owner's own columns in a SELECT, called as the input calls them. */
const alsoSelected = (table: Carrying, alias: string, others: readonly string[]) =>
  carried(table, others)
    .map(({ column, as }) => `, ${alias}.${ident(column)} AS ${ident(as)}`)
    .join('');

const LOTS = `lots l
   LEFT JOIN production_lines p ON p.id = l.production_line_id
   LEFT JOIN product_models m ON m.id = l.product_model_id`;

/** What rows of one group have in common: they are one part of the input, wherever it is read in parts. */
export const GROUP = ['production_line_id', 'product_model_id', 'production_month'] as const;

const OF_LOT = GROUP.map((column) => `l.${column}`);

/** What LOT_ORDER has of a LOT. */
const PLACE = `${OF_LOT.join(', ')},
          CASE WHEN l.lot_number = p.line_code || m.model_code || l.production_month THEN 1
               WHEN ${joinsGroup('l')} THEN 2 ELSE 0 END,
          l.id`;

/**
 * The old serials out of the tables themselves, in LOT_ORDER, with the columns of the owner's own. What is known of a LOT
 * is compared, sent and read once a LOT and not once a serial, of which there are a hundred: serials are ordered by the
 * place of their LOT. The inner ORDER BY changes no row; it lets the server sort LOT by LOT, and give the first rows at once.
 */
export const oldSerials = joined<OldSerial>(
  async ({ database }, range) => {
    const { lots } = await othersOf(database);
    return `SELECT l.id AS lot_id, l.lot_number, l.production_line_id, p.line_code, l.product_model_id, m.model_code,
          l.production_month, l.status AS lot_status, l.target_quantity, l.created_at AS lot_created_at, l.closed_at
          ${alsoSelected('lots', 'l', lots)}
   FROM ${LOTS}
   WHERE ${range.of(OF_LOT)}
   ORDER BY ${PLACE}`;
  },
  async ({ database }, range) => {
    const { serials } = await othersOf(database);
    return `SELECT s.lot_id, s.id AS serial_id, s.serial_number, s.status AS serial_status, s.created_at AS serial_created_at
          ${alsoSelected('serials', 's', serials)}
   FROM (SELECT l.id, row_number() OVER (ORDER BY ${PLACE}) AS place FROM ${LOTS} WHERE ${range.of(OF_LOT)} ORDER BY place) l
   JOIN serials s ON s.lot_id = l.id
   ORDER BY l.place, length(s.serial_number), s.serial_number COLLATE "C", s.id`;
  },
  {
    name: 'lots and serials',
    on: 'lot_id',
    columns: COLUMNS,
    order: LOT_ORDER,
    partitionBy: {
      key: GROUP,
      // A LOT without serials is a row, too.
      groups: async () => `SELECT ${OF_LOT.join(', ')}, sum(greatest(coalesce(s.serials, 0), 1)) AS rows
        FROM lots l LEFT JOIN (SELECT lot_id, count(*) AS serials FROM serials GROUP BY lot_id) s ON s.lot_id = l.id
        GROUP BY ${OF_LOT.join(', ')} ORDER BY ${OF_LOT.join(', ')}`,
    },
  },
);
