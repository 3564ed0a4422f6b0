import { again, type Check, check, offenders, orMore, plural } from 'sluice';
import { joinsGroup, MAKES_NUMBER } from './numbers.js';

/** A serial number has 3 digits for its sequence. */
const MOST_SERIALS = 999;

/** Groups that have more serials than three digits can number. Asked of the tables, where they are the input. */
export const fitsThreeDigits: Check = check(
  'fits-three-digits',
  `no group has more than ${MOST_SERIALS} serials`,
  async ({ database, live, settings, replaced }) => {
    if (replaced('serials') || settings.overflow === 'widen') return [];
    const groups = await database.query(
      // Serials are counted by LOT first: what is asked of a LOT is then asked once, not once a serial.
      `SELECT p.line_code || m.model_code || l.production_month AS lot, count(*) AS lots, sum(s.serials) AS serials
       FROM ${live('lots')} l
       JOIN (SELECT lot_id, count(*) AS serials FROM ${live('serials')} GROUP BY lot_id) s ON s.lot_id = l.id
       JOIN production_lines p ON p.id = l.production_line_id
       JOIN product_models m ON m.id = l.product_model_id
       WHERE ${MAKES_NUMBER} AND (l.lot_number = p.line_code || m.model_code || l.production_month OR ${joinsGroup('l')})
       GROUP BY l.production_line_id, l.product_model_id, l.production_month, p.line_code, m.model_code
       HAVING sum(s.serials) > ${MOST_SERIALS}
          AND bool_or(l.lot_number <> p.line_code || m.model_code || l.production_month)
       ORDER BY 1`,
    );
    return offenders(
      groups,
      (n) =>
        `${n === 1 ? 'a group has' : `${n} groups have`} more than ${MOST_SERIALS} serials, and three digits number no more`,
      (group) =>
        `${group.lot}: ${plural(Number(group.serials), 'serial')} in ${plural(Number(group.lots), 'LOT')}`,
      { next: again({ flags: { set: ['overflow=widen'] } }, { note: 'more digits for those groups' }) },
    );
  },
);

/** A group's new number may be held by a LOT of another group (of the same codes, or mislabelled). */
export const numberNotTaken: Check = check(
  'number-not-taken',
  'no group would take a number that a LOT outside it holds',
  async ({ database, live, replaced }) => {
    if (replaced('serials')) return [];
    const taken = await database.query(
      `WITH lot AS (
         SELECT l.id, l.lot_number, l.production_line_id AS line, l.product_model_id AS model, l.production_month AS month,
                p.line_code || m.model_code || l.production_month AS number,
                ${joinsGroup('l')} AND ${MAKES_NUMBER} AS joins
         FROM ${live('lots')} l
         JOIN production_lines p ON p.id = l.production_line_id
         JOIN product_models m ON m.id = l.product_model_id
       ), coming AS (
         SELECT number, line, model, month, min(id) AS id FROM lot
         WHERE joins
         GROUP BY number, line, model, month
       )
       SELECT c.number, c.id::text, h.id::text AS holder, h.lot_number AS holder_number
       FROM coming c
       JOIN ${live('lots')} h ON h.lot_number = c.number
        AND (h.production_line_id, h.product_model_id, h.production_month) IS DISTINCT FROM (c.line, c.model, c.month)
       UNION ALL
       SELECT c.number, c.id::text, o.id::text, NULL
       FROM coming c JOIN coming o ON o.number = c.number AND o.id < c.id
       ORDER BY 1, 2`,
    );
    return offenders(
      taken,
      (n) => `${n === 1 ? 'a number is' : `${n} numbers are`} wanted by a group and held by a LOT outside it`,
      (row) =>
        `${row.number}: wanted for LOT ${row.id} and its group, held by LOT ${row.holder}, which is of another group`,
      { next: again({}, { lead: 'correct the line, model or month of the LOT that holds it, then' }) },
    );
  },
);

/**
 * A number that a group's serials will get may be held by a serial that stays as it is, in a LOT outside the group. Only
 * where a serial has a number like it are the group's serials counted.
 */
export const serialNotTaken: Check = check(
  'serial-not-taken',
  'no serial would take a number that one outside its group holds',
  async ({ database, live, replaced }) => {
    if (replaced('serials')) return [];
    const group = (of: string) => `(${of}.line, ${of}.model, ${of}.month)`;
    const taken = await database.query(
      `WITH lot AS MATERIALIZED (
         SELECT l.id, l.lot_number, l.production_line_id AS line, l.product_model_id AS model, l.production_month AS month,
                n.number, ${joinsGroup('l')} AS joins
         FROM ${live('lots')} l
         JOIN production_lines p ON p.id = l.production_line_id
         JOIN product_models m ON m.id = l.product_model_id
         CROSS JOIN LATERAL (SELECT p.line_code || m.model_code || l.production_month AS number) n
         WHERE ${MAKES_NUMBER}
       ), coming AS (
         SELECT number, line, model, month FROM lot WHERE joins GROUP BY number, line, model, month
       ), alike AS MATERIALIZED (
         SELECT c.*, s.id, s.serial_number, substr(s.serial_number, 12) AS sequence, h.id AS lot_id, h.lot_number
         FROM ${live('serials')} s
         JOIN coming c ON c.number = substr(s.serial_number, 1, 11)
         JOIN ${live('lots')} h ON h.id = s.lot_id
         WHERE h.lot_number <> c.number
           AND NOT EXISTS (SELECT FROM lot j WHERE j.id = h.id AND j.joins)
       ), counted AS (
         SELECT g.*, n.serials, coalesce(o.last, 0) AS last
         FROM (SELECT DISTINCT number, line, model, month FROM alike) g
         CROSS JOIN LATERAL (
           SELECT count(*) AS serials FROM lot j JOIN ${live('serials')} s ON s.lot_id = j.id
           WHERE j.joins AND ${group('j')} = ${group('g')}) n
         CROSS JOIN LATERAL (
           SELECT max(substr(s.serial_number, 12)::int) AS last FROM lot j JOIN ${live('serials')} s ON s.lot_id = j.id
           WHERE j.lot_number = g.number AND ${group('j')} = ${group('g')}
             AND starts_with(s.serial_number, g.number) AND substr(s.serial_number, 12) ~ '^[0-9]{1,9}$') o
       )
       SELECT a.id::text, a.serial_number, a.lot_id::text, a.lot_number, a.number
       FROM alike a JOIN counted g ON ${group('g')} = ${group('a')} AND g.number = a.number
       WHERE CASE WHEN a.sequence ~ '^[0-9]{3,9}$'
                  THEN a.sequence::int > g.last AND a.sequence::int <= g.last + g.serials
                       AND length(a.sequence) = greatest(3, length((g.last + g.serials)::text)) END
       ORDER BY a.serial_number LIMIT 1000`,
    );
    return offenders(
      taken,
      (n) =>
        `${n === 1 ? 'a serial number is' : `${n} serial numbers are`} wanted by a group and held by a serial outside it`,
      (row) =>
        `${row.serial_number}: wanted in LOT ${row.number}, held by serial ${row.id} of LOT ${row.lot_id} (${row.lot_number}), which is not of that group`,
      {
        next: again(
          {},
          { lead: 'correct the number of the serial that holds it, or which LOT it is of, then' },
        ),
      },
    );
  },
);

/** The pipeline reads LOTs with their serials: a serial without a LOT would be lost. Asked of the tables, where they are the input. */
export const serialsHaveLots: Check = check(
  'serials-have-lots',
  'every serial has its LOT',
  async ({ database, live, replaced }) => {
    if (replaced('serials')) return [];
    return offenders(
      await database.query(
        `SELECT s.id::text, s.serial_number, s.lot_id::text FROM ${live('serials')} s
         WHERE NOT EXISTS (SELECT FROM ${live('lots')} l WHERE l.id = s.lot_id) ORDER BY s.id LIMIT 1000`,
      ),
      (n) => `${n === 1 ? 'a serial has' : `${orMore(n)} serials have`} no LOT`,
      (row) =>
        `serial ${row.id} (${row.serial_number}): ${row.lot_id === null ? 'lot_id is NULL' : `there is no LOT ${row.lot_id}`}`,
      { next: again({}, { lead: 'give them their LOT (lot_id), or delete them, then' }) },
    );
  },
);

/** Two serials of one number: of those that stay as they are nobody would make another. Asked of the tables. */
export const staysUnique: Check = check(
  'serials-that-stay-are-unique',
  'no two serials that stay as they are share a number',
  async ({ database, live, replaced }) => {
    if (replaced('serials')) return [];
    return offenders(
      await database.query(
        // Which LOTs stay is asked of LOTs, and not of each of their serials again.
        `WITH stays AS MATERIALIZED (
           SELECT l.id FROM ${live('lots')} l
           LEFT JOIN production_lines p ON p.id = l.production_line_id
           LEFT JOIN product_models m ON m.id = l.product_model_id
           WHERE (${joinsGroup('l')} AND ${MAKES_NUMBER}) IS NOT TRUE
         )
         SELECT s.serial_number, string_agg(s.id::text, ', ' ORDER BY s.id) AS ids
         FROM ${live('serials')} s JOIN stays ON stays.id = s.lot_id
         GROUP BY s.serial_number HAVING count(*) > 1 ORDER BY 1 LIMIT 1000`,
      ),
      (n) => `${n === 1 ? 'a serial number is' : `${n} serial numbers are`} held more than once`,
      (row) => `${row.serial_number}: serials ${row.ids}`,
      { next: again({}, { lead: 'give all but one of them another number, then' }) },
    );
  },
);
