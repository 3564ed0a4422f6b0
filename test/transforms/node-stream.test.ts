import assert from 'node:assert/strict';
import { Transform } from 'node:stream';
import { test } from 'node:test';
import { testStage } from 'sluice/testing';
import { originOf, type Row } from '../../src/core/row.js';
import { nodeStream } from '../../transforms/index.js';
import { testRun } from '../support/run.js';

interface Numbered {
  readonly n: number;
}

const rows: readonly Numbered[] = Array.from({ length: 1000 }, (_, n) => ({ n }));
const doubling = () =>
  new Transform({
    objectMode: true,
    transform: (row: Numbered, _, done) => done(null, { ...row, twice: 2 * row.n }),
  });

test('a Transform of Node’s is a stage: rows in their order, with their origin', async () => {
  const ran = await testStage(
    nodeStream<Numbered, Numbered & { readonly twice: number }>('doubling', doubling),
    rows,
    {
      chunkSizes: [256, 7],
    },
  );
  assert.deepEqual(
    ran.rows.map(({ twice }) => twice),
    rows.map(({ n }) => 2 * n),
  );
  assert.deepEqual(ran.rows.slice(0, 3).map(originOf), [1, 2, 3]);
});

test('what it leaves out and makes anew it says to the run, as every stage does', async () => {
  const odd = nodeStream<Numbered>('odd, and a sum', (run) => {
    let total = 0;
    return new Transform({
      objectMode: true,
      transform(row: Numbered, _, done) {
        total += row.n;
        if (row.n % 2 === 0) run.skip('even', [row]);
        else this.push(row);
        done();
      },
      flush(done) {
        run.add('sum');
        done(null, { n: total });
      },
    });
  });
  const ran = await testStage(odd, rows, { chunkSizes: [100] });
  assert.deepEqual([ran.rows.length, ran.rows.at(-1)?.n], [501, 499_500]);
  assert.deepEqual([ran.skipped, ran.added], [{ even: 500 }, { sum: 1 }]);
});

test('an error of the stream, or of the rows before it, is the stage’s', async () => {
  const failing = nodeStream(
    'failing',
    () => new Transform({ objectMode: true, transform: (_row, _, done) => done(new Error('no more')) }),
  );
  await assert.rejects(testStage(failing, [{ n: 1 }], { chunkSizes: [10] }), /no more/);
  async function* broken(): AsyncGenerator<Row[]> {
    yield [{ n: 1 }];
    throw new Error('the source is gone');
  }
  await assert.rejects(async () => {
    for await (const _ of nodeStream('doubling', doubling)(broken(), testRun()));
  }, /the source is gone/);
});

test('who stops reading ends the stream and the rows before it', async () => {
  let ended = false;
  async function* endless(): AsyncGenerator<Numbered[]> {
    try {
      for (;;) yield [{ n: 1 }];
    } finally {
      ended = true;
    }
  }
  let streams = 0;
  const stage = nodeStream<Numbered>('doubling', () => doubling().on('close', () => streams++));
  for await (const chunk of stage(endless(), testRun())) {
    assert.equal(chunk.length, 256);
    break;
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual([ended, streams], [true, 1]);
});
