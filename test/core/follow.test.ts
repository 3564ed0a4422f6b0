import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breaches, type StageCounter } from '../../src/core/accounting.js';
import { failed, interrupted } from '../../src/core/errors/author.js';
import { type FlowPlan, flow } from '../../src/core/flow.js';
import { type Following, follow } from '../../src/core/follow.js';
import type { Chunk, Row } from '../../src/core/row.js';
import { named, type Sink, type Source, type Stage } from '../../src/core/types.js';
import { testRun } from '../support/run.js';
import { thrown } from '../support/thrown.js';

type Numbered = { readonly n: number };

/** 1 to `rows`, ten in a chunk; says whether its reader let it go. */
function numbers(rows: number): Source<Numbered> & { released: boolean; read_: number } {
  const source = {
    name: 'numbers',
    kind: 'memory' as const,
    released: false,
    read_: 0,
    async *read() {
      try {
        for (let at = 0; at < rows; at += 10) {
          const chunk = Array.from({ length: Math.min(10, rows - at) }, (_, i) => ({ n: at + i + 1 }));
          source.read_ += chunk.length;
          yield chunk;
        }
      } finally {
        source.released = true;
      }
    },
  };
  return source;
}

/** Keeps what it is given; `failing` may throw at a verb. */
function keeper(
  name: string,
  failing: Partial<Record<'open' | 'write' | 'close', () => void | Promise<void>>> = {},
): Sink<Row> & { rows: Row[]; ended: string[] } {
  const sink = {
    name,
    writes: 'nothing' as const,
    rows: [] as Row[],
    ended: [] as string[],
    async open() {
      await failing.open?.();
      return {
        async write(chunk: Chunk) {
          await failing.write?.();
          sink.rows.push(...chunk);
        },
        async close() {
          await failing.close?.();
          sink.ended.push('closed');
          return sink.rows.length;
        },
        async discard() {
          sink.ended.push('discarded');
        },
      };
    },
  };
  return sink;
}

function following(more: Partial<Following> & { readonly controller?: AbortController } = {}): Following {
  const { controller = new AbortController(), ...rest } = more;
  return {
    signal: controller.signal,
    runFor(counter: StageCounter, _input: string, signal: AbortSignal) {
      const run = testRun();
      const tally =
        (table: 'skipped' | 'merged' | 'added' | 'kept') =>
        (reason: string, rows = 1) => {
          counter[table][reason] = (counter[table][reason] ?? 0) + rows;
        };
      return {
        ...run,
        signal,
        reject: (_row, why) => {
          counter.rejected[why.reason] = (counter.rejected[why.reason] ?? 0) + 1;
        },
        skip: tally('skipped'),
        merge: tally('merged'),
        add: tally('added'),
        keep: tally('kept'),
      };
    },
    open: (end, run) => {
      assert.ok(!('kind' in end));
      return end.open(run);
    },
    afterChunk: () => undefined,
    ...rest,
  };
}

const asIs: Stage<Numbered> = named('as is', (rows) => rows);
const boom = (said: string) => () => {
  throw failed('boom', said);
};

/** The error that following `plan` ends in. */
const thrownBy = (plan: FlowPlan, given = following()) => thrown(follow(plan, given));

test('a stage that throws is named, the source is released, and every end is discarded', async () => {
  const source = numbers(100);
  const sink = keeper('kept');
  const third = named<Numbered, Numbered>('third', async function* (rows) {
    for await (const chunk of rows) {
      if (chunk[0]?.n === 21) throw new Error('21 is too much');
      yield [...chunk];
    }
  });
  const error = await thrownBy(flow(source).through(asIs, third).into(sink));
  assert.equal(error.message, 'stage "third" failed: 21 is too much');
  assert.equal(error.kind, 'failed');
  assert.deepEqual(sink.ended, ['discarded']);
  assert.equal(source.released, true);
  assert.ok(source.read_ <= 40, 'the rest was not read');
});

test('a source that throws is named', async () => {
  const source: Source<Numbered> = {
    name: 'old.csv',
    kind: 'file',
    async *read() {
      yield [{ n: 1 }];
      throw new Error('the disk is gone');
    },
  };
  const error = await thrownBy(flow(source).into(keeper('kept')));
  assert.equal(error.message, 'reading old.csv failed: the disk is gone');
  assert.equal(error.facts.input, 'old.csv');
});

for (const verb of ['open', 'write', 'close'] as const) {
  test(`a sink that fails to ${verb} ends the flow with its own error, and nobody is left open`, async () => {
    const source = numbers(200);
    const bad = keeper('bad', { [verb]: boom(`cannot ${verb}`) });
    const good = keeper('good');
    const plan = flow(source).fork(
      (rows) => rows.into(good),
      (rows) => rows.into(bad),
    );
    const error = await thrownBy(plan);
    assert.equal(error.message, `cannot ${verb}`);
    assert.ok(source.released);
    assert.deepEqual(good.ended.at(-1), 'discarded');
    assert.deepEqual(bad.ended, verb === 'open' ? [] : ['discarded']);
  });
}

test('a branch of a fork that fails while the others wait for it ends them all', async () => {
  const source = numbers(1000);
  const slow = keeper('slow', { write: () => new Promise((resolve) => setTimeout(resolve, 2)) });
  const branch = named<Numbered, Numbered>('branch', async function* (rows) {
    for await (const chunk of rows) {
      if (chunk[0]?.n === 51) throw new Error('no more');
      yield [...chunk];
    }
  });
  const error = await thrownBy(
    flow(source).fork(
      (rows) => rows.into(slow),
      (rows) => rows.through(branch).into(keeper('quick')),
      (rows) =>
        rows.fork(
          (inner) => inner.into(keeper('a')),
          (inner) => inner.into(keeper('b')),
        ),
    ),
  );
  assert.equal(error.message, 'stage "branch" failed: no more');
  assert.ok(source.released);
  assert.ok(source.read_ < 200, `${source.read_} rows were read after all`);
});

test('the first error is the one that is told, whatever breaks because of it', async () => {
  const plan = flow(numbers(50)).fork(
    (rows) => rows.into(keeper('first', { write: boom('the first') })),
    (rows) =>
      rows.into(
        keeper('second', {
          write: async () => {
            await new Promise((resolve) => setTimeout(resolve, 5));
            throw failed('boom', 'the second');
          },
        }),
      ),
  );
  assert.equal((await thrownBy(plan)).message, 'the first');
});

test('an abort ends the flow with its own reason, and discards', async () => {
  const controller = new AbortController();
  const source = numbers(10_000);
  const sink = keeper('kept', {
    write: () => {
      if (sink.rows.length === 50) controller.abort(interrupted('stopped by SIGINT'));
    },
  });
  const error = await thrownBy(flow(source).through(asIs).into(sink), following({ controller }));
  assert.equal(error.kind, 'interrupted');
  assert.equal(error.message, 'stopped by SIGINT');
  assert.deepEqual(sink.ended, ['discarded']);
  assert.ok(source.released);
  assert.ok(source.read_ < 100);
});

test('an abort while a fork waits for its slowest branch ends it', async () => {
  const controller = new AbortController();
  const stuck = keeper('stuck', {
    write: () => new Promise<void>((resolve) => controller.signal.addEventListener('abort', () => resolve())),
  });
  const plan = flow(numbers(1000)).fork(
    (rows) => rows.into(stuck),
    (rows) => rows.into(keeper('free')),
  );
  setTimeout(() => controller.abort(), 20);
  assert.equal((await thrownBy(plan, following({ controller }))).kind, 'interrupted');
});

test('a stage that drops rows without a reason, and one that stops early, break the accounts by name', async () => {
  const everySecond = named<Numbered, Numbered>('every second', async function* (rows) {
    for await (const chunk of rows) yield chunk.filter((row) => row.n % 2 === 0);
  });
  const firstTen = named<Numbered, Numbered>('first ten', async function* (rows) {
    for await (const chunk of rows) {
      yield [...chunk];
      return;
    }
  });
  const lost = await follow(flow(numbers(30)).through(everySecond).into(keeper('kept')), following());
  assert.deepEqual(breaches([lost]), [
    'stage "every second" took in 30 rows of numbers and lost 15 without a reason',
  ]);
  const source = numbers(30);
  const stopped = await follow(flow(source).through(asIs, firstTen, asIs).into(keeper('kept')), following());
  assert.deepEqual(breaches([stopped]), [
    'stage "first ten" stopped reading numbers before its end, after 10 rows',
  ]);
  assert.ok(source.released);
});

test('a branch that stops early leaves the others their rows, and is named', async () => {
  const firstTen = named<Numbered, Numbered>('first ten', async function* (rows) {
    for await (const chunk of rows) {
      yield [...chunk];
      return;
    }
  });
  const all = keeper('all');
  const account = await follow(
    flow(numbers(95)).fork(
      (rows) => rows.through(firstTen).into(keeper('ten')),
      (rows) => rows.into(all),
    ),
    following(),
  );
  assert.equal(all.rows.length, 95);
  assert.deepEqual(breaches([account]), [
    'stage "first ten" stopped reading numbers before its end, after 10 rows',
  ]);
});

test('a sink that counts fewer rows than it was handed breaks the accounts', async () => {
  const sink = keeper('forgetful', { close: () => void sink.rows.pop() });
  const account = await follow(flow(numbers(20)).into(sink), following());
  assert.deepEqual(breaches([account]), ['forgetful was handed 20 rows and holds 19']);
});

test('an empty source opens and closes every end', async () => {
  const [a, b] = [keeper('a'), keeper('b')];
  const plan = flow(numbers(0)).fork(
    (rows) => rows.into(a),
    (rows) => rows.into(b),
  );
  const account = await follow(plan, following());
  assert.deepEqual(
    account.sinks.map((each) => [each.handed, each.counted]),
    [
      [0, 0],
      [0, 0],
    ],
  );
  assert.deepEqual([a.ended, b.ended], [['closed'], ['closed']]);
  assert.deepEqual(breaches([account]), []);
});

test('a limit stops the source after so many rows, in the middle of a chunk', async () => {
  const source = numbers(100);
  const sink = keeper('kept');
  const account = await follow(flow(source).through(asIs).into(sink), following({ limit: 25 }));
  assert.equal(sink.rows.length, 25);
  assert.equal(account.stages[0]?.in, 25);
  assert.ok(source.released);
});

test('what a stage and a sink do with rows stands in their own accounts, branch by branch', async () => {
  const odd = named<Numbered, Numbered>('odd', async function* (rows, run) {
    for await (const chunk of rows) {
      run.skip('even', chunk.filter((row) => row.n % 2 === 0).length);
      yield chunk.filter((row) => row.n % 2 === 1);
    }
  });
  const account = await follow(
    flow(numbers(20))
      .through(asIs)
      .fork(
        (rows) => rows.through(odd).into(keeper('odds')),
        (rows) => rows.fork((inner) => inner.into(keeper('all'))),
      ),
    following(),
  );
  const accounts = account.stages.map(({ stage, branch, in: taken, out }) => [stage, branch, taken, out]);
  assert.deepEqual(accounts, [
    ['read numbers', '', 20, 20],
    ['as is', '', 20, 20],
    ['odd', '1', 20, 10],
    ['into odds', '1', 10, 10],
    ['into all', '2.1', 20, 20],
  ]);
  assert.deepEqual(breaches([account]), []);
});
