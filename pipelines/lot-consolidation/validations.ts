import {
  again,
  ident,
  nothingLost,
  noun,
  offenders,
  onlyRow,
  plural,
  type Row,
  type Validation,
  validation,
} from 'sluice';
import { joinsGroup, MAKES_NUMBER } from './numbers.js';
import { othersOf } from './others.js';
import { joinedLots } from './references.js';

/** No two LOTs, and no two serials, of the same number. */
export const numbersUnique: Validation = validation(
  'numbers-unique',
  'no two LOTs and no two serials share a number',
  async ({ database, staged }) => [
    ...offenders(
      await database.query(
        `SELECT lot_number, string_agg(id::text, ', ' ORDER BY id) AS ids FROM ${staged('lots')}
         GROUP BY lot_number HAVING count(*) > 1 ORDER BY 1 LIMIT 1000`,
      ),
      (n) => `${n === 1 ? 'a LOT number is' : `${n} LOT numbers are`} held by more than one LOT`,
      (row) => `${row.lot_number}: LOTs ${row.ids}`,
      {
        next: again({}, { lead: 'one of them is of another group: correct its line, model or month, then' }),
      },
    ),
    ...offenders(
      await database.query(
        `SELECT serial_number, count(*) AS times FROM ${staged('serials')}
         GROUP BY serial_number HAVING count(*) > 1 ORDER BY 1 LIMIT 1000`,
      ),
      (n) => `${n === 1 ? 'a serial number would be' : `${n} serial numbers would be`} held more than once`,
      (row) => `${row.serial_number}: ${row.times} times`,
      { next: 'a serial outside the group has that number already, or the input names a serial twice' },
    ),
  ],
);

export const oneLotPerGroup: Validation = validation(
  'one-lot-per-group',
  'one LOT for each line, model and month, besides those that stay as they are',
  async ({ database, staged }) =>
    offenders(
      await database.query(
        `SELECT l.production_line_id, l.product_model_id, l.production_month, count(*) AS lots
         FROM ${staged('lots')} l
         JOIN production_lines p ON p.id = l.production_line_id
         JOIN product_models m ON m.id = l.product_model_id
         WHERE l.lot_number = p.line_code || m.model_code || l.production_month
            OR (${joinsGroup('l')} AND ${MAKES_NUMBER})
         GROUP BY 1, 2, 3 HAVING count(*) > 1 ORDER BY 1, 2, 3 LIMIT 1000`,
      ),
      (n) => `${plural(n, 'group')} would have more than one LOT`,
      (row) =>
        `line ${row.production_line_id}, model ${row.product_model_id}, month ${row.production_month}: ${row.lots} LOTs`,
    ),
);

/** SQL: the last sequence of the serials `s` of a LOT `l`; one that is none counts as higher than any. */
const LAST = `max(CASE WHEN starts_with(s.serial_number, l.lot_number) AND length(s.serial_number) BETWEEN 12 AND 29
                       AND translate(substr(s.serial_number, 12), '0123456789', '') = ''
                      THEN substr(s.serial_number, 12)::bigint ELSE 1e18::bigint END)`;

/**
 * LOTs that had their new number before are left as they are, gaps and all. Numbers being unique, those of a
 * LOT run from 1 without gaps where the highest is as many as there are and all have the same digits. A
 * number that is none counts as higher than any. One aggregate a serial: there are millions.
 */
export const serialsRunFromOne: Validation = validation(
  'serials-run-from-one',
  'in every LOT that changes, serials run from 001 without gaps',
  async ({ database, staged, live, published }) => {
    const rows = await database.query<Row>(
      `WITH changed AS MATERIALIZED (
           SELECT l.id, l.lot_number FROM ${staged('lots')} l
           JOIN production_lines p ON p.id = l.production_line_id
           JOIN product_models m ON m.id = l.product_model_id
           WHERE l.lot_number = p.line_code || m.model_code || l.production_month AND ${MAKES_NUMBER} AND NOT EXISTS (
             SELECT FROM ${live('lots')} o WHERE o.id = l.id AND o.lot_number = l.lot_number)
         )
         SELECT bad.lot_number, bad.gaps, count(*) AS serials,
                min(s.serial_number COLLATE "C") AS first, max(s.serial_number COLLATE "C") AS last
         FROM (SELECT * FROM (
                 SELECT l.id, l.lot_number, min(length(s.serial_number)) = max(length(s.serial_number)) AND
                        ${LAST} BETWEEN count(*) + 1 AND 1e17::bigint AS gaps
                 FROM changed l JOIN ${staged('serials')} s ON s.lot_id = l.id
                 GROUP BY l.id, l.lot_number
                 HAVING ${LAST} <> count(*)
                     OR min(length(s.serial_number)) <> max(length(s.serial_number))) found
               ORDER BY lot_number LIMIT 1000) bad
         JOIN ${staged('serials')} s ON s.lot_id = bad.id
         GROUP BY bad.lot_number, bad.gaps ORDER BY 1`,
    );
    const told = (row: Row) =>
      `${row.lot_number}: ${plural(Number(row.serials), 'serial')} from ${row.first} to ${row.last}`;
    // Once published, serials may be deleted by whoever works with them; other numbers nobody gives.
    const since = published ? rows.filter(({ gaps }) => gaps === true) : [];
    return [
      ...offenders(
        rows.filter((row) => !since.includes(row)),
        (n) => `in ${plural(n, 'LOT')} the serials do not run from 001 without gaps`,
        told,
      ),
      ...offenders(
        since,
        (n) => `in ${plural(n, 'LOT')} serials are missing: deleted since the publish`,
        told,
        { severity: 'warning' },
      ),
    ];
  },
);

/** Asked of the tables as they were before, past the flow; from a file there is no before. */
export const numbersAsMade: Validation = validation(
  'numbers-as-made',
  'every group’s LOT has the number that its line, model and month make',
  async ({ database, staged, live, replaced, published }) => {
    if (replaced('serials')) return [];
    return offenders(
      await database.query(
        `WITH ${joinedLots(live('lots'))}
         SELECT DISTINCT j.into_id AS id, j.number, n.lot_number AS "is" FROM joined j LEFT JOIN ${staged('lots')} n ON n.id = j.into_id
         WHERE n.lot_number IS DISTINCT FROM j.number${published ? ' AND n.id IS NOT NULL' : ''} ORDER BY 1 LIMIT 1000`,
      ),
      (n) => `${plural(n, 'LOT')} would have another number than line, model and month make`,
      (row) => `LOT ${row.id}: ${row.is ?? 'is missing'}, and is to be ${row.number}`,
    );
  },
);

/** Live may be empty where a fresh system is filled from a file: then there is no "before". */
export const sameNumberOfSerials: Validation = validation(
  'same-number-of-serials',
  'as many serials as before',
  async ({ database, staged, live, published }) => {
    const { before, after } = onlyRow(
      await database.query<{ before: string; after: string }>(
        `SELECT (SELECT count(*) FROM ${live('serials')}) AS before, (SELECT count(*) FROM ${staged('serials')}) AS after`,
      ),
    );
    if (before === '0' || before === after) return [];
    if (published) {
      // Serials that were made since are no loss.
      const gone = Number(BigInt(before) - BigInt(after));
      if (gone <= 0) return [];
      return [
        {
          severity: 'warning',
          message: `there are ${plural(gone, 'serial')} fewer than before: deleted since the publish, as no run loses one`,
        },
      ];
    }
    return [
      {
        severity: 'error',
        message: `there ${noun(Number(before), 'was', 'were')} ${plural(Number(before), 'serial', undefined, before)} and there would be ${after}`,
        next: 'if the input is a file, export it again: it does not hold what the tables hold',
      },
    ];
  },
);

const everySerial = nothingLost({
  name: 'serials-of-the-file',
  summary: 'every serial of the file is there, and no other',
  one: 'serial',
  input: 'serials',
  key: 'serial_id',
  table: 'serials',
  column: 'id',
  keyless: true,
});

/** Where the tables are the input, the one above asks them. */
export const serialsOfFile: Validation = {
  ...everySerial,
  ask: async (context) => (context.replaced('serials') ? everySerial.ask(context) : []),
};

export const noSerialWithoutLot: Validation = validation(
  'no-serial-without-lot',
  'every serial has its LOT',
  async ({ database, staged }) =>
    offenders(
      await database.query(
        `SELECT s.id, s.serial_number, s.lot_id FROM ${staged('serials')} s
         WHERE NOT EXISTS (SELECT FROM ${staged('lots')} l WHERE l.id = s.lot_id) ORDER BY s.id LIMIT 1000`,
      ),
      (n) => `${plural(n, 'serial')} would have no LOT`,
      (row) => `serial ${row.id} (${row.serial_number}): LOT ${row.lot_id} is not there`,
    ),
);

/** Asked where the tables are the input; once published, the application may have changed them. */
export const othersAsBefore: Validation = validation(
  'owners-columns',
  'columns of one’s own are as before',
  async ({ database, staged, live, replaced, published }) => {
    if (published || replaced('serials')) return [];
    const others = await othersOf(database);
    const asked = (['lots', 'serials'] as const).filter((table) => others[table].length > 0);
    const findings = await Promise.all(
      asked.map(async (table) => {
        const row = (of: string) =>
          `ROW(${others[table].map((name) => `${of}.${ident(name)}::text`).join(', ')})`;
        return offenders(
          await database.query(
            `SELECT n.id FROM ${staged(table)} n JOIN ${live(table)} o ON o.id = n.id
             WHERE ${row('n')} IS DISTINCT FROM ${row('o')} ORDER BY 1 LIMIT 1000`,
          ),
          (n) => `${plural(n, 'row')} of ${table} would have other values in ${others[table].join(', ')}`,
          ({ id }) => `id ${id}`,
          {
            next: again(
              {},
              { lead: 'somebody wrote to the table meanwhile, or a trigger changes what is loaded' },
            ),
          },
        );
      }),
    );
    return findings.flat();
  },
);
