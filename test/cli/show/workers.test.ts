import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostsText, workersLines } from '../../../src/cli/show/workers.js';
import type { WorkersState } from '../../../src/run/load/workers/state.js';

const HOSTS = [
  { host: 'load-a', rowsPerSecond: 123_456 },
  { host: 'load-b', rowsPerSecond: 98_765 },
  { host: 'load-c', rowsPerSecond: 0 },
];

test('hosts are named with what they load where there is room, else counted, else left out', () => {
  const shares = { parts: 1_200, loaded: 34, hosts: HOSTS };
  const texts = [80, 40, 18, 12, 3].map((room) => hostsText(shares, room));
  assert.deepEqual(texts, [
    ' · 34/1,200 parts · load-a 123,456/s · load-b 98,765/s · load-c 0/s',
    ' · 34/1,200 parts · 3 hosts',
    ' · 3 hosts',
    ' · 3 hosts',
    '',
  ]);
  for (let room = 0; room < 100; room++) assert.ok(hostsText(shares, room).length <= room);
});

const LOADED: WorkersState = {
  parts: { loaded: 12, under_way: null, waiting: null, left: null, failed: null },
  hosts: [
    {
      host: 'load-a',
      parts: 12,
      rows: 1_200_000,
      seconds: 10,
      rows_per_second: 120_000,
      retries: 0,
      under_way: 0,
    },
  ],
  slowest: { host: 'load-a', input: 'orders.csv', line: 300_001, rows: 100_000, seconds: 1.5 },
  retries: 0,
  silent: [],
};

test('of a batch that is loaded it is said who has done it', () => {
  assert.deepEqual(workersLines(LOADED), [
    'parts by workers: 12 loaded; none begun twice',
    '  host    loaded  under way       rows   rows/s  retries',
    '  load-a      12          0  1,200,000  120,000        0',
    'slowest part: 1.50 s for 100,000 rows of orders.csv, from line 300,001 on, by load-a',
  ]);
});

test('of a batch that loads it is said what is under way, what waits, and who is silent', () => {
  const lines = workersLines({
    ...LOADED,
    parts: { loaded: 12, under_way: 2, waiting: 30, left: 1, failed: 0 },
    hosts: [
      ...LOADED.hosts,
      { host: 'load-b', parts: 0, rows: 0, seconds: 0, rows_per_second: 0, retries: 0, under_way: 2 },
    ],
    retries: 1,
    silent: [{ host: 'load-b', parts: 2, silent: 7 }],
  });
  assert.deepEqual(
    [lines[0], lines[3], lines.at(-1)],
    [
      'parts by workers: 12 loaded, 2 under way, 30 waiting, 1 left to others; 1 retry',
      '  load-b       0          2          0                 0',
      'a worker on load-b with 2 parts has been silent for 7.00 s: others take over what it has',
    ],
  );
});
