import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Fleet, type Load, simulate } from './model.js';

const load: Load = {
  parts: 120,
  cost: { seconds: 1, workerCpu: 0.5, serverCpu: 0.4 },
  cutSeconds: 0.001,
  aloneSeconds: 10,
};
const fleet: Fleet = { hosts: 1, hostCores: 2, jobs: 1, serverCores: 64 };
const near = (got: number, wanted: number, within = 0.02) =>
  assert.ok(Math.abs(got - wanted) <= wanted * within, `${got} is not near ${wanted}`);

test('one worker takes all parts one after the other', () => {
  const { loadSeconds, seconds, retries, limit } = simulate(load, fleet);
  near(loadSeconds, 120);
  near(seconds, 130);
  assert.equal(retries, 0);
  assert.equal(limit, 'workers');
});

test('where nothing is in the way, twice the hosts take half the time', () => {
  for (const hosts of [2, 4, 8]) near(simulate(load, { ...fleet, hosts }).loadSeconds, 120 / hosts);
});

test('the server’s cores are a ceiling that further hosts do not lift', () => {
  const small = { ...fleet, serverCores: 2 };
  const full = simulate(load, { ...small, hosts: 10 });
  near(full.loadSeconds, (120 * 0.4) / 2);
  near(simulate(load, { ...small, hosts: 20 }).loadSeconds, full.loadSeconds, 0.05);
  assert.equal(full.limit, 'server');
  near(full.serverBusy, 1, 0.05);
});

test('the starter’s cutting is a ceiling, too', () => {
  const { loadSeconds, limit } = simulate({ ...load, cutSeconds: 0.5 }, { ...fleet, hosts: 20 });
  near(loadSeconds, 61);
  assert.equal(limit, 'cutting');
});

test('a host does no more than its cores can, however many parts it takes at once', () => {
  near(simulate(load, { ...fleet, jobs: 4 }).loadSeconds, 30, 0.05);
  near(simulate(load, { ...fleet, jobs: 40 }).loadSeconds, 30, 0.1);
});

test('workers on the server’s own cores share them with it', () => {
  const shared = { ...fleet, serverCores: 2, onServer: true };
  near(simulate(load, shared).loadSeconds, 120);
  near(simulate(load, { ...shared, hosts: 4 }).loadSeconds, (120 * 0.9) / 2);
});

test('a slow host takes fewer parts, and holds the end up by one of its own at most', () => {
  const { loadSeconds } = simulate(load, { ...fleet, hosts: 4, speeds: [0.1] });
  assert.ok(loadSeconds > 120 / 4 && loadSeconds < 120 / 3 + 5.5, String(loadSeconds));
});

test('with as many hosts as parts the last ones are what a further host waits for', () => {
  assert.equal(simulate({ ...load, parts: 10 }, { ...fleet, hosts: 16 }).limit, 'last parts');
});

test('a host that dies costs its parts, and the time until that is noticed', () => {
  const still = simulate(load, { ...fleet, hosts: 4 });
  const one = simulate(load, {
    ...fleet,
    hosts: 4,
    deaths: [{ host: 2, at: 29.5 }],
    noticeSeconds: 5,
  });
  assert.equal(one.retries, 1);
  near(one.loadSeconds, 29.5 + 5 + 1, 0.05);
  assert.ok(one.loadSeconds > still.loadSeconds);
});
