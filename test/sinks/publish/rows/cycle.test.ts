import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RowTarget } from '../../../../sinks/publish/rows/target.js';
import { readCounts } from '../../../support/counts.js';
import { testDatabase } from '../../../support/database.js';
import { long } from '../../../support/long.js';
import { SHOP, SHOP_TRIGGERS } from '../../../support/shop.js';
import { checksums, type Load, publish, undo } from '../../../support/window.js';

const customers = (mode: RowTarget['mode'], columns: string[], more: Partial<RowTarget> = {}): RowTarget => ({
  schema: 'public',
  table: 'customers',
  mode,
  columns,
  ...more,
});
const orders = (mode: RowTarget['mode'], more: Partial<RowTarget> = {}): RowTarget => ({
  schema: 'public',
  table: 'orders',
  mode,
  columns: ['region', 'number', 'customer_id', 'total'],
  ...more,
});

const json = '{"a": 1}';
const cases: Record<string, { loads: Load[]; counts: Record<string, number>[] }> = {
  'append with explicit keys': {
    loads: [
      [
        customers('append', ['id', 'email']),
        [
          ['77', 'z@x'],
          ['78', 'y@x'],
        ],
      ],
    ],
    counts: [{ staged: 2, inserted: 2, updated: 0, unchanged: 0, missing: 0, deleted: 0 }],
  },
  'append with keys that live generates': {
    loads: [[customers('append', ['email', 'name']), [['z@x', 'Zoe']]]],
    counts: [{ staged: 1, inserted: 1, updated: 0, unchanged: 0, missing: 0, deleted: 0 }],
  },
  'append to a table without any key, where live has equal rows already': {
    loads: [
      [
        { schema: 'public', table: 'visits', mode: 'append', columns: ['at', 'page', 'weight'] },
        [
          ['2024-01-01', 'home', '1'],
          ['2024-01-01', 'home', '1'],
          [null, null, null],
        ],
      ],
    ],
    counts: [{ staged: 3, inserted: 3, updated: 0, unchanged: 0, missing: 0, deleted: 0 }],
  },
  'append of nothing': {
    loads: [[orders('append'), []]],
    counts: [{ staged: 0, inserted: 0, updated: 0, unchanged: 0, missing: 0, deleted: 0 }],
  },
  'merge of types without equality': {
    loads: [
      [
        customers('merge', ['id', 'email', 'balance', 'settings', 'place', 'note']),
        [
          ['1', 'c1@x', '1', json, '(1,1)', '<a/>'],
          ['2', 'c2@x', '2.00', json, '(2,2)', '<a/>'],
          ['3', 'c3@x', '3', '{"a":1}', '(3,3)', '<a/>'],
          ['4', 'c4@x', '4', json, '(4,5)', null],
          ['9', 'c9@x', '9', null, null, null],
        ],
      ],
    ],
    counts: [{ staged: 5, inserted: 1, updated: 3, unchanged: 1, missing: 0, deleted: 0 }],
  },
  'sync: what is not loaded is deleted': {
    loads: [
      [
        orders('sync'),
        [
          ['north', '1', '1', '10'],
          ['north', '2', '2', '21'],
          ['south', '1', '3', '5'],
        ],
      ],
    ],
    counts: [{ staged: 3, inserted: 1, updated: 1, unchanged: 1, missing: 0, deleted: 2 }],
  },
  'sync of parents and children': {
    loads: [
      [
        orders('sync'),
        [
          ['north', '1', '9', '10'],
          ['south', '1', '1', '5'],
        ],
      ],
      [
        customers('sync', ['id', 'email']),
        [
          ['1', 'new@x'],
          ['9', 'c9@x'],
        ],
      ],
    ],
    counts: [
      { staged: 2, inserted: 1, updated: 1, unchanged: 0, missing: 0, deleted: 3 },
      { staged: 2, inserted: 1, updated: 1, unchanged: 0, missing: 0, deleted: 4 },
    ],
  },
  'merge by a key that is not the primary one': {
    loads: [
      [
        customers('merge', ['email', 'name'], { key: ['email'] }),
        [
          ['c1@x', 'Ann'],
          ['new@x', 'Bob'],
        ],
      ],
    ],
    counts: [{ staged: 2, inserted: 1, updated: 1, unchanged: 0, missing: 0, deleted: 0 }],
  },
  'merge by a key without an index': {
    loads: [
      [
        customers('merge', ['name', 'email', 'balance'], { key: ['name'] }),
        [
          ['name 1', 'c1@x', '5'],
          ['n', 'n@x', '1'],
        ],
      ],
    ],
    counts: [{ staged: 2, inserted: 1, updated: 1, unchanged: 0, missing: 0, deleted: 0 }],
  },
  'patch of one column, unknown keys skipped': {
    loads: [
      [
        customers('patch', ['id', 'name'], { missing: 'skip' }),
        [
          ['1', 'Ann'],
          ['2', 'name 2'],
          ['3', null],
          ['99', 'nobody'],
        ],
      ],
    ],
    counts: [{ staged: 4, inserted: 0, updated: 2, unchanged: 1, missing: 1, deleted: 0 }],
  },
};

for (const triggers of [false, true]) {
  for (const [name, { loads, counts }] of Object.entries(cases)) {
    (!triggers ? test : long)(
      `${name}: publish, undo, publish, undo${triggers ? ', with triggers' : ''}`,
      async (t) => {
        const database = await testDatabase(t);
        const client = await database.connect();
        await client.query(SHOP);
        // The counter and stamps start as the triggers would leave them, so that both must follow the undo.
        if (triggers) {
          await client.query(
            `UPDATE customers c SET order_count = (SELECT count(*) FROM orders o WHERE o.customer_id = c.id); ${SHOP_TRIGGERS}`,
          );
        }
        const tables = ['customers', 'orders', 'visits'];
        const before = await checksums(client, ...tables);
        const published: Record<string, string>[] = [];
        for (const batch of ['b1', 'b2']) {
          const names = await publish(client, batch, ...loads);
          const found = await readCounts(client, names);
          const wanted = loads.map(([target], i) => ({
            table: `public.${target.table}`,
            mode: target.mode,
            ...{ suppressed: 0, deletes_suppressed: 0 },
            ...counts[i],
          }));
          assert.deepEqual(new Set(found), new Set(wanted));
          published.push(await checksums(client, ...tables));
          if (found.some((one) => one.staged > 0)) assert.notDeepEqual(published.at(-1), before);
          await undo(client, names);
          assert.deepEqual(await checksums(client, ...tables), before);
        }
        const generates = name.includes('live generates') || name.includes('key');
        if (!triggers && !generates) assert.deepEqual(published[0], published[1]);
      },
    );
  }
}
