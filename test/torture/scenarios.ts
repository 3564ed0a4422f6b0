import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import lotConsolidation from '../../pipelines/lot-consolidation/index.js';
import { FILES, fill } from '../../samples/lot-consolidation/generate.js';
import { flow } from '../../src/core/flow.js';
import { type Pipeline, pipeline } from '../../src/core/pipeline.js';
import { replace } from '../../src/core/target.js';
import { csv } from '../../src/sources/csv/index.js';
import { jsonl } from '../../src/sources/json/jsonl.js';
import { filter } from '../../transforms/filter.js';
import { map } from '../../transforms/map.js';

/** Something to load and publish, and how to tell whether live is wholly old or wholly new. */
export interface Scenario {
  pipeline(): Pipeline;
  readonly settings: Readonly<Record<string, string>>;
  /** Fills an empty database with the old state. */
  prepare(client: pg.Client, rows: number): Promise<void>;
  /** The tables that are published. */
  readonly tables: readonly string[];
  /** One statement that joins them: it gives one row while live is old, and another when it is new. */
  readonly glance: string;
}

export type ScenarioName = 'lots' | 'copy' | 'files';

const ORDERS_FILE = 'torture-orders.csv';
const ITEMS_FILE = 'torture-items.jsonl';
const ONLY_ORDERS_FILE = 'torture-only-orders.csv';

/** Every order in a line with one of its items; `orders` takes the first of them. */
function writeOrders(rows: number): void {
  const lines = ['order_id,item_id,customer,note'];
  for (let i = 1; i <= rows; i++)
    lines.push(`${Math.ceil(i / 4)},${i},"customer ""${i % 97}""","a note, with ${'x'.repeat(i % 40)}"`);
  writeFileSync(join(process.cwd(), ORDERS_FILE), `${lines.join('\n')}\n`);
}

/** The same orders and items in files of their own, which can be read on; some lines are no records. */
function writeFiles(rows: number): void {
  const orders = ['id,customer,generation'];
  const items: string[] = [];
  for (let i = 1; i <= rows; i++) {
    if (i % 4 === 1) orders.push(`${Math.ceil(i / 4)},"customer ""${i % 97}""",2`);
    if (i % 500 === 0) orders.push(`${i},ragged`);
    if (i % 300 === 0) items.push('{"broken');
    items.push(
      JSON.stringify({ id: i, order_id: Math.ceil(i / 4), note: `é ${'x'.repeat(i % 40)}`, generation: 2 }),
    );
    // No column of the table holds this.
    if (i % 700 === 0) items.push(JSON.stringify({ id: -i, order_id: 'none', note: 'x', generation: 2 }));
  }
  writeFileSync(join(process.cwd(), ONLY_ORDERS_FILE), `${orders.join('\n')}\n`);
  writeFileSync(join(process.cwd(), ITEMS_FILE), `${items.join('\n')}\n`);
}

type Line = Readonly<Record<'order_id' | 'item_id' | 'customer' | 'note', string | null>>;

const ordersPipeline = () =>
  pipeline({
    name: 'torture-orders',
    summary: 'Orders and their items out of one file.',
    inputs: { lines: csv(ORDERS_FILE, { columns: ['order_id', 'item_id', 'customer', 'note'] }) },
    tables: {
      orders: replace('orders', { columns: ['id', 'customer', 'generation'] }),
      items: replace('items', { columns: ['id', 'order_id', 'note', 'generation'] }),
    },
    flows: ({ inputs, tables }) => [
      flow(inputs.lines as never).fork(
        (lines) =>
          lines
            .through(
              filter<Line>((row) => Number(row.item_id) % 4 === 1, 'not_the_first_item') as never,
              map(
                (row: Line) => ({ id: row.order_id, customer: row.customer, generation: '2' }),
                'orders',
              ) as never,
            )
            .into(tables.orders as never),
        (lines) =>
          lines
            .through(
              map(
                (row: Line) => ({ id: row.item_id, order_id: row.order_id, note: row.note, generation: '2' }),
                'items',
              ) as never,
            )
            .into(tables.items as never),
      ),
    ],
  });

const filesPipeline = () =>
  pipeline({
    name: 'torture-files',
    summary: 'Orders and their items, each out of its own file.',
    inputs: {
      orders: csv(ONLY_ORDERS_FILE, { columns: ['id', 'customer', 'generation'] }),
      items: jsonl(ITEMS_FILE, { columns: ['id', 'order_id', 'note', 'generation'] }),
    },
    tables: {
      orders: replace('orders', { columns: ['id', 'customer', 'generation'] }),
      items: replace('items', { columns: ['id', 'order_id', 'note', 'generation'] }),
    },
    flows: ({ inputs, tables }) => [
      flow(inputs.orders as never).into(tables.orders as never),
      flow(inputs.items as never).into(tables.items as never),
    ],
  });

/** The state of orders and items before, in an empty database. */
const OLD_ORDERS = `
  CREATE TABLE orders (id integer PRIMARY KEY, customer text NOT NULL, generation integer NOT NULL);
  CREATE TABLE items (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES orders, note text, generation integer NOT NULL);
  CREATE INDEX ON items (order_id);
  INSERT INTO orders SELECT n, 'old', 1 FROM generate_series(1, 500) n;
  INSERT INTO items SELECT n, 1 + n % 500, 'old', 1 FROM generate_series(1, 1500) n;
  ANALYZE`;

const ORDERS_GLANCE = `SELECT count(*)::int AS rows, min(o.generation) AS a, max(o.generation) AS b,
         min(i.generation) AS c, max(i.generation) AS d
  FROM items i FULL JOIN orders o ON o.id = i.order_id`;

export const scenarios: Readonly<Record<ScenarioName, Scenario>> = {
  lots: {
    pipeline: () => lotConsolidation,
    settings: { backup: 'off' },
    async prepare(client, rows) {
      await client.query(readFileSync(new URL('schema.sql', FILES), 'utf8'));
      await fill(client, { serials: rows, seed: 11 });
    },
    tables: ['lots', 'serials'],
    glance: `SELECT count(*)::int AS rows, count(DISTINCT l.id)::int AS lots,
                    count(*) FILTER (WHERE s.serial_number LIKE l.lot_number || '%')::int AS numbered
             FROM serials s JOIN lots l ON l.id = s.lot_id`,
  },
  copy: {
    pipeline: ordersPipeline,
    settings: {},
    async prepare(client, rows) {
      writeOrders(rows);
      await client.query(OLD_ORDERS);
    },
    tables: ['orders', 'items'],
    glance: ORDERS_GLANCE,
  },
  files: {
    pipeline: filesPipeline,
    settings: {},
    async prepare(client, rows) {
      writeFiles(rows);
      await client.query(OLD_ORDERS);
    },
    tables: ['orders', 'items'],
    glance: ORDERS_GLANCE,
  },
};
