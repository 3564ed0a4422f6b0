import {
  again,
  type Check,
  check,
  type Database,
  type Finding,
  ident,
  noun,
  offenders,
  orMore,
  plural,
} from 'sluice';
import { joinsGroup, MAKES_NUMBER } from './numbers.js';

/** A foreign key of another column towards LOTs or serials. */
interface Reference extends Readonly<Record<string, unknown>> {
  readonly name: string;
  /** Quoted, as a statement names them. */
  readonly table: string;
  readonly column: string;
  /** What it refers to: `lots.id`, `serials.serial_number`. */
  readonly to: string;
  /** It is one of the LOTs' own: of a LOT that goes, the reference goes, too. */
  readonly own: boolean;
}

/** Statements that name more LOTs than this are hard to read. */
const MOST_PAIRS = 50;

/** Every foreign key towards one of the columns that the consolidation changes or takes away; but for serials.lot_id, which it changes too. */
const references = (database: Database, lots: string, serials: string): Promise<Reference[]> =>
  database.query<Reference>(
    `SELECT c.conname AS name, c.conrelid::regclass::text AS "table", quote_ident(a.attname) AS "column",
            t.name || '.' || r.attname AS "to", c.conrelid = $1::regclass AS own
     FROM (VALUES ('lots', $1::regclass), ('serials', $2::regclass)) t(name, oid)
     JOIN pg_constraint c ON c.confrelid = t.oid AND c.contype = 'f' AND cardinality(c.conkey) = 1
     JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
     JOIN pg_attribute r ON r.attrelid = c.confrelid AND r.attnum = c.confkey[1]
     WHERE (t.name, r.attname) IN (('lots', 'id'), ('lots', 'lot_number'), ('serials', 'serial_number'))
       AND NOT (c.conrelid = $2::regclass AND a.attname = 'lot_id') AND c.conparentid = 0
     ORDER BY 2, 3`,
    [lots, serials],
  );

/** `joined`: every LOT that joins a group, with the number that this has and the LOT that it becomes. */
export const joinedLots = (lots: string) => `lot AS (
    SELECT l.id, l.lot_number, n.number, l.production_line_id AS line, l.product_model_id AS model,
           l.production_month AS month, l.lot_number = n.number AS own
    FROM ${lots} l
    JOIN production_lines p ON p.id = l.production_line_id
    JOIN product_models m ON m.id = l.product_model_id
    CROSS JOIN LATERAL (SELECT p.line_code || m.model_code || l.production_month AS number) n
    WHERE ${MAKES_NUMBER} AND (l.lot_number = n.number OR ${joinsGroup('l')})
  ), joined AS MATERIALIZED (
    SELECT * FROM (
      SELECT lot.*, first_value(id) OVER (PARTITION BY line, model, month ORDER BY own DESC, id) AS into_id FROM lot) l
    WHERE NOT own)`;

/** Rows of other tables that refer to a LOT that goes. */
async function toLotsThatGo(
  database: Database,
  lots: string,
  { table, column, own }: Reference,
): Promise<Finding[]> {
  const rows = await database.query<{ id: string; into: string; rows: string }>(
    `WITH ${joinedLots(lots)}
     SELECT j.id::text AS id, j.into_id::text AS "into", count(*)::text AS rows FROM ${table} r JOIN joined j ON j.id = r.${column}
     WHERE j.id <> j.into_id${own ? ' AND NOT EXISTS (SELECT FROM joined o WHERE o.id = r.id AND o.id <> o.into_id)' : ''} GROUP BY j.id, j.into_id ORDER BY j.id LIMIT 1000`,
  );
  const some = rows.slice(0, MOST_PAIRS).map(({ id, into }) => `(${id}, ${into})`);
  const pairs = rows.length > some.length ? [...some, '…'] : some;
  return offenders(
    rows,
    (n) => `${table}.${column} refers to ${n === 1 ? 'a LOT that goes' : `${orMore(n)} LOTs that go`}`,
    (row) => `LOT ${row.id}: ${plural(Number(row.rows), 'row')}; it becomes part of LOT ${row.into}`,
    {
      next: again(
        {},
        {
          lead: `point them to the LOT that stays: UPDATE ${table} r SET ${column} = m.stays FROM (VALUES ${pairs.join(', ')}) m(goes, stays) WHERE r.${column} = m.goes; then`,
        },
      ),
    },
  );
}

/** Rows of other tables that refer to LOTs or serials by a number that changes. */
async function toNumbersThatChange(
  database: Database,
  { lots, serials }: { readonly lots: string; readonly serials: string },
  { name, table, column, to }: Reference,
): Promise<Finding[]> {
  const changing =
    to === 'lots.lot_number'
      ? 'SELECT lot_number AS number FROM joined'
      : `SELECT s.serial_number AS number FROM ${serials} s JOIN joined j ON j.id = s.lot_id`;
  const [found] = await database.query<{ rows: string }>(
    `WITH ${joinedLots(lots)} SELECT count(*)::text AS rows FROM ${table} r JOIN (${changing}) c ON c.number = r.${column}`,
  );
  const rows = Number(found?.rows ?? 0);
  if (rows === 0) return [];
  return [
    {
      severity: 'error',
      message: `${plural(rows, 'row')} of ${table} ${noun(rows, 'refers', 'refer')} by ${column} to ${to}, which changes`,
      next: again(
        {},
        {
          lead: `let ${table} refer to an id instead, or drop the foreign key and see to its rows yourself: ALTER TABLE ${table} DROP CONSTRAINT ${ident(name)}; then`,
        },
      ),
    },
  ];
}

/**
 * Other tables may refer to LOTs that go, and to numbers that change: what they are to refer to then only their owner
 * knows. The publish would refuse it. Asked of the tables, where they are the input.
 */
export const referencesHold: Check = check(
  'references-hold',
  'no other table refers to a LOT that goes, or to a number that changes',
  async ({ database, live, replaced }) => {
    if (replaced('serials')) return [];
    const names = { lots: live('lots'), serials: live('serials') };
    const findings: Finding[] = [];
    for (const each of await references(database, names.lots, names.serials))
      findings.push(
        ...(each.to === 'lots.id'
          ? await toLotsThatGo(database, names.lots, each)
          : await toNumbersThatChange(database, names, each)),
      );
    return findings;
  },
);
