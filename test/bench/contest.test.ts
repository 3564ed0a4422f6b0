import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Contest, hold, median } from './contest.js';
import { show } from './show.js';

const node = (code: string) => ({ program: process.execPath, args: ['-e', code], cwd: '.' });

const contest = (left: readonly string[], more: Partial<Contest> = {}): Contest => {
  let next = 0;
  return {
    key: 'k',
    work: 'work',
    rows: 10,
    contestants: [
      { name: 'ours', command: node('') },
      { name: 'theirs', command: node(''), atMost: 100 },
      { name: 'absent', command: node(''), skip: 'not installed' },
    ],
    setUp: async () => {},
    prepare: async () => {},
    checksum: async () => left[next++ % left.length] as string,
    ...more,
  };
};

test('contestants that leave different tables fail the benchmark', async () => {
  await assert.rejects(
    hold(contest(['a', 'b']), 1, () => {}),
    /theirs left other tables than ours/,
  );
});

test('a command that fails fails the benchmark with its own words', async () => {
  const broken = [{ name: 'broken', command: node("console.error('no such table'); process.exit(3)") }];
  await assert.rejects(
    hold(contest(['a'], { contestants: broken }), 1, () => {}),
    /ended with 3:\n.*no such table/s,
  );
});

test('all run in turn, and the absent one is shown with the reason', async () => {
  const told: string[] = [];
  const result = await hold(contest(['a']), 2, (text) => told.push(text.replace(/: .*/, '')));
  assert.deepEqual(told, [
    'work, ours, run 1',
    'work, theirs, run 1',
    'work, ours, run 2',
    'work, theirs, run 2',
  ]);
  const [ours, theirs, absent] = result.standings;
  assert.equal(ours?.ratio, 1);
  assert.ok((theirs?.medianSeconds as number) > 0);
  assert.ok((ours?.peakMb as number) > 10, 'the process’s own memory');
  assert.equal(absent?.skipped, 'not installed');
  assert.match(show([result]), /absent .*not installed/);
});

test('the median of an even number is between the two in the middle', () => {
  assert.equal(median([5, 1, 3]), 3);
  assert.equal(median([4, 1, 3, 2]), 2.5);
});
