import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchColumns } from '../../src/copy/match.js';
import { probes } from './probes.js';
import { faultOf, KNOWN } from './repeats.js';

test('whoever takes a text out of an input needs linear time for it, and fails only in a way of ours', () => {
  const all = probes();
  assert.ok(all.length > 90, `${all.length}`);
  // `npm run fuzz -- --repeats` tries all of them, and random ones.
  const some = KNOWN.filter(({ unit }) => [' ', '0', 'x', '"', '$ ', '()=('].includes(unit));
  const found = all.flatMap((probe) => some.flatMap((repeat) => faultOf(probe, repeat) ?? []));
  assert.deepEqual(found, []);
});

test('a loop that looks back at every character is found', () => {
  const slow = {
    name: 'slow',
    run: (text: string) => {
      text.replace(/ +$/, '');
    },
  };
  assert.match(
    faultOf(slow, { before: '', unit: ' ', behind: '!' }, { characters: 20_000, most: 50 }) ?? '',
    /^slow, of .*: \d+ ms$/,
  );
});

test('a header of thousands of unknown names is refused at once', () => {
  const names = (count: number, of: string) =>
    Array.from({ length: count }, (_, i) => `${of}_${i}_of_the_list`);
  const columns = names(1500, 'column').map((name, at) => ({
    name,
    position: at + 1,
    type: 'text',
    base: 'text',
    baseOid: 25,
    kind: 'scalar' as const,
    notNull: false,
    hasDefault: false,
  }));
  const from = process.cpuUsage();
  assert.throws(
    () => matchColumns('input', names(20_000, 'field'), { name: 't', columns } as never, { mode: 'append' }),
    /20000 columns that t lacks/,
  );
  // Comparing every name with every other would take a quarter of an hour.
  assert.ok(process.cpuUsage(from).user < 20e6);
});
