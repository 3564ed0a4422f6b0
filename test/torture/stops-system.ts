import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** The tables that the pipeline publishes. */
const STOPPED_TABLES = ['orders', 'items', 'stock'] as const;

/**
 * A pipeline in which every phase takes its time: a check and a validation that the server thinks about, a sort, an
 * index on a slow function, row changes whose trigger is slow, a view's materialised rows after the swap.
 */
const pipelineOf = (pace: number) => `
import { check, csv, flow, merge, pipeline, replace, validation } from 'sluice';
import { filter, map, sort } from 'sluice/transforms';
const slow = (name, seconds) => [name, 'It takes its time.', async ({ database }) => {
  await database.query('SELECT pg_sleep(' + seconds + ')');
  return [];
}];
export default pipeline({
  name: 'stops',
  summary: 'Orders, their items and the stock out of one file.',
  inputs: { lines: csv('lines.csv.gz', { columns: ['order_id', 'item_id', 'note'] }) },
  tables: {
    orders: replace('orders', { columns: ['id', 'note'] }),
    items: replace('items', { columns: ['id', 'order_id', 'note'] }),
    stock: merge('stock', { columns: ['id', 'note'], key: ['id'] }),
  },
  records: { lines: { type: 'line', sourceId: 'item_id', table: 'items' } },
  checks: [check(...slow('thinks', ${0.5 * pace}))],
  validations: [validation(...slow('asks', ${0.6 * pace}))],
  flows: ({ inputs, tables }) => [
    flow(inputs.lines).fork(
      (lines) => lines.through(filter((row) => Number(row.item_id) % 4 === 1, 'not_the_first_item'),
        map((row) => ({ id: row.order_id, note: row.note }), 'orders')).into(tables.orders),
      (lines) => lines.through(map((row) => ({ id: row.item_id, order_id: row.order_id, note: row.note }), 'items'),
        sort({ by: ['note'], memoryBytes: 4 << 20 })).into(tables.items),
      (lines) => lines.through(filter((row) => Number(row.item_id) % 50 === 0, 'not_in_stock'),
        map((row) => ({ id: row.item_id, note: row.note }), 'stock')).into(tables.stock),
    ),
  ],
});
`;

/** How long the server thinks about things: less where there is less to load. */
const paceOf = (rows: number): number => Math.min(1, 0.2 + rows / 100_000);

/** Writes the pipeline stops.mjs and its file of `rows` items, four to an order, into `folder`. */
export function writeStopped(folder: string, rows: number): void {
  writeFileSync(join(folder, 'stops.mjs'), pipelineOf(paceOf(rows)));
  const lines = ['order_id,item_id,note'];
  for (let i = 1; i <= rows; i++)
    lines.push(`${Math.ceil(i / 4)},${i},"${(i * 7919) % 100_003} ${'x'.repeat(120)}"`);
  writeFileSync(join(folder, 'lines.csv.gz'), gzipSync(`${lines.join('\n')}\n`, { level: 1 }));
}

/** The old state, `rows` being those of the file: it makes the phases on the server last some tenths of a second each. */
export const stoppedSystem = (rows: number) => `
  CREATE FUNCTION slow(id integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
    $$ BEGIN IF id % ${Math.max(1, Math.ceil(rows / 100))} = 0 THEN PERFORM pg_sleep(${0.005 * paceOf(rows)}); END IF; RETURN id; END $$;
  CREATE TABLE orders (id integer PRIMARY KEY, note text NOT NULL);
  CREATE TABLE items (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES orders, note text);
  CREATE INDEX ON items (public.slow(id));
  CREATE INDEX ON items (order_id);
  CREATE TABLE stock (id integer PRIMARY KEY, note text);
  INSERT INTO orders SELECT n, 'old' FROM generate_series(1, 500) n;
  INSERT INTO items SELECT n, 1 + n % 500, 'old' FROM generate_series(1, 1500) n;
  INSERT INTO stock SELECT n * 50, 'old' FROM generate_series(1, 40) n;
  CREATE FUNCTION slow_row() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF coalesce(NEW.id, OLD.id) % 250 = 0 THEN PERFORM pg_sleep(0.001); END IF; RETURN coalesce(NEW, OLD); END $$;
  CREATE TRIGGER slow BEFORE INSERT OR UPDATE OR DELETE ON stock FOR EACH ROW EXECUTE FUNCTION slow_row();
  CREATE VIEW in_short AS SELECT count(*) AS orders, min(note) AS note FROM orders;
  CREATE MATERIALIZED VIEW kept_in_short AS SELECT *, pg_sleep(${0.5 * paceOf(rows)}) IS NULL AS slow FROM in_short;
  ANALYZE`;

/** One row that tells the contents of all tables. */
export const STOPPED_CONTENTS = STOPPED_TABLES.map(
  (table) => `(SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM ${table} t)`,
).join(" || ' ' || ");
