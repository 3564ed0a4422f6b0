import { NEW_LOT_PATTERN } from '../../pipelines/lot-consolidation/numbers.js';
import type { Step } from './script.js';

// lot-consolidation as one would script it inside the database, for systems without malformed LOTs.

/** Every LOT with its group's number and the LOT that it goes to. */
const GROUPS = `
  SELECT l.*, number, l.lot_number = number AS kept,
         first_value(l.id) OVER (PARTITION BY l.production_line_id, l.product_model_id, l.production_month
                                 ORDER BY l.lot_number <> number, l.id) AS new_id
  FROM public.lots l
  JOIN public.production_lines p ON p.id = l.production_line_id
  JOIN public.product_models m ON m.id = l.product_model_id
  CROSS JOIN LATERAL (SELECT (p.line_code || m.model_code || l.production_month)::varchar(50) AS number) n`;

/** Both tables by one CREATE TABLE AS each. */
export const CREATE_AS: readonly Step[] = [
  "SET work_mem = '256MB'",
  `CREATE TABLE incoming.lots AS
   SELECT id, number AS lot_number, production_line_id, product_model_id, production_month, status,
          target_quantity, created_at, closed_at
   FROM (${GROUPS}) g WHERE id = new_id`,
  `CREATE TABLE incoming.serials AS
   SELECT s.id, g.new_id AS lot_id,
          CASE WHEN g.kept THEN s.serial_number ELSE (g.number || lpad((
            coalesce(max(CASE WHEN g.kept THEN substr(s.serial_number, 12)::int END) OVER (PARTITION BY g.new_id), 0)
            + row_number() OVER (PARTITION BY g.new_id, g.kept
                ORDER BY g.id, length(s.serial_number), s.serial_number COLLATE "C", s.id))::text, 3, '0'))::varchar(50)
          END AS serial_number,
          s.status, s.created_at
   FROM (${GROUPS}) g JOIN public.serials s ON s.lot_id = g.id`,
];

/** Before the validations: without statistics one of them takes minutes at two million rows. */
export const ANALYZE: Step = 'ANALYZE incoming.lots, incoming.serials';

/** The tables to be filled from a file of what they are to hold. */
export const CREATE_EMPTY: readonly Step[] = [
  'CREATE TABLE incoming.lots AS SELECT * FROM public.lots WITH NO DATA',
  'CREATE TABLE incoming.serials AS SELECT * FROM public.serials WITH NO DATA',
];

/** What the pipeline validates, each as a statement that fails. */
export const VALIDATIONS: readonly Step[] = [
  refuseAny('SELECT FROM incoming.lots GROUP BY lot_number HAVING count(*) > 1'),
  refuseAny('SELECT FROM incoming.serials GROUP BY serial_number HAVING count(*) > 1'),
  refuseAny(`SELECT FROM incoming.lots l
    JOIN public.production_lines p ON p.id = l.production_line_id
    JOIN public.product_models m ON m.id = l.product_model_id
    WHERE l.lot_number = p.line_code || m.model_code || l.production_month OR l.lot_number !~ '${NEW_LOT_PATTERN}'
    GROUP BY l.production_line_id, l.product_model_id, l.production_month HAVING count(*) > 1`),
  refuseAny(`SELECT FROM incoming.lots l JOIN incoming.serials s ON s.lot_id = l.id
    WHERE l.lot_number ~ '${NEW_LOT_PATTERN}' AND NOT EXISTS (
      SELECT FROM public.lots o WHERE o.id = l.id AND o.lot_number = l.lot_number)
    GROUP BY l.id, l.lot_number
    HAVING max(CASE WHEN starts_with(s.serial_number, l.lot_number) AND length(s.serial_number) BETWEEN 12 AND 29
                     AND translate(substr(s.serial_number, 12), '0123456789', '') = ''
                    THEN substr(s.serial_number, 12)::bigint ELSE 1e18::bigint END) <> count(*)
        OR min(length(s.serial_number)) <> max(length(s.serial_number))`),
  refuseAny(
    'SELECT FROM (SELECT (SELECT count(*) FROM public.serials) b, (SELECT count(*) FROM incoming.serials) a) n WHERE a <> b',
  ),
  refuseAny(
    'SELECT FROM incoming.serials s WHERE NOT EXISTS (SELECT FROM incoming.lots l WHERE l.id = s.lot_id)',
  ),
];

function refuseAny(query: string): string {
  return `DO $$ BEGIN IF EXISTS (${query}) THEN RAISE 'the validation found something'; END IF; END $$`;
}

/** The indexes, keys and checks that live has, statistics, and the exchange by renaming. */
export const FINISH: readonly Step[] = [
  'ALTER TABLE incoming.lots ADD CONSTRAINT lots_pkey PRIMARY KEY (id), ADD CONSTRAINT lots_lot_number_key UNIQUE (lot_number)',
  'CREATE INDEX lots_group_idx ON incoming.lots (production_line_id, product_model_id, production_month)',
  "CREATE INDEX lots_open_idx ON incoming.lots (created_at) WHERE status <> 'closed'",
  'ALTER TABLE incoming.serials ADD CONSTRAINT serials_pkey PRIMARY KEY (id)',
  'ALTER TABLE incoming.serials ADD CONSTRAINT serials_serial_number_key UNIQUE (serial_number)',
  'CREATE INDEX serials_lot_id_idx ON incoming.serials (lot_id)',
  `ALTER TABLE incoming.lots ALTER lot_number SET NOT NULL, ALTER production_month SET NOT NULL, ALTER status SET NOT NULL,
     ALTER target_quantity SET NOT NULL, ALTER created_at SET NOT NULL,
     ADD CHECK (production_month ~ '^[0-9]{2}(0[1-9]|1[0-2])$'), ADD CHECK (status IN ('open', 'in_production', 'closed')),
     ADD CHECK (target_quantity > 0),
     ADD FOREIGN KEY (production_line_id) REFERENCES public.production_lines (id),
     ADD FOREIGN KEY (product_model_id) REFERENCES public.product_models (id)`,
  `ALTER TABLE incoming.serials ALTER lot_id SET NOT NULL, ALTER serial_number SET NOT NULL, ALTER status SET NOT NULL,
     ALTER created_at SET NOT NULL, ADD CHECK (status IN ('created', 'passed', 'failed', 'shipped')),
     ADD FOREIGN KEY (lot_id) REFERENCES incoming.lots (id)`,
  'ALTER TABLE public.inspections ADD CONSTRAINT to_new FOREIGN KEY (serial_id) REFERENCES incoming.serials (id) ON DELETE CASCADE',
  'BEGIN',
  'ALTER TABLE public.inspections DROP CONSTRAINT inspections_serial_id_fkey',
  'ALTER TABLE public.lots SET SCHEMA outgoing',
  'ALTER TABLE public.serials SET SCHEMA outgoing',
  'ALTER TABLE incoming.lots SET SCHEMA public',
  'ALTER TABLE incoming.serials SET SCHEMA public',
  'COMMIT',
];
