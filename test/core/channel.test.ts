import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Channel } from '../../src/core/channel.js';

test('a writer whose reader has gone is told so, and does not wait', async () => {
  const channel = new Channel<number>();
  channel.abandon();
  assert.equal(await channel.send(1), false);
});

test('a writer that waits for its reader goes on when the reader leaves', async () => {
  const channel = new Channel<number>();
  assert.equal(await channel.send(1), true);
  const waiting = channel.send(2);
  channel.abandon();
  assert.equal(await waiting, false);
});

test('a reader that stops early sets the writer free', async () => {
  const channel = new Channel<number>();
  const sent = (async () => {
    const taken: boolean[] = [];
    for (let i = 0; i < 4; i++) taken.push(await channel.send(i));
    return taken;
  })();
  for await (const item of channel) if (item === 1) break;
  const taken = await sent;
  assert.equal(taken.at(-1), false);
});

test('a failure reaches the reader before items that nobody has taken', async () => {
  const channel = new Channel<number>();
  await channel.send(1);
  channel.fail(new Error('the pump broke'));
  channel.fail(new Error('a later one'));
  await assert.rejects(async () => {
    for await (const _ of channel) assert.fail('an item came through');
  }, /the pump broke/);
});

test('the writer never runs ahead by more than one item', async () => {
  const channel = new Channel<number>();
  let sent = 0;
  const writing = (async () => {
    for (let i = 0; i < 5; i++) {
      await channel.send(i);
      sent = i + 1;
    }
    channel.end();
  })();
  const seen: number[] = [];
  for await (const item of channel) {
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(sent <= item + 2, `${sent} were sent while item ${item} was at hand`);
    seen.push(item);
  }
  await writing;
  assert.deepEqual(seen, [0, 1, 2, 3, 4]);
});

test('an end before any item is an empty stream', async () => {
  const channel = new Channel<number>();
  channel.end();
  for await (const _ of channel) assert.fail('an item came through');
});
