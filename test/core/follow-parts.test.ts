import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { plus, type StageAccount, type StageCounter, sum, unaccounted } from '../../src/core/accounting.js';
import { failed } from '../../src/core/errors/author.js';
import { type FlowPlan, flow } from '../../src/core/flow.js';
import { followParts } from '../../src/core/follow-parts.js';
import type { FollowingParts, PartStaging } from '../../src/core/part-staging.js';
import type { CsvText, Cut, Part } from '../../src/core/parts.js';
import type { Chunk, Row } from '../../src/core/row.js';
import { named, type Sink, type Source, type Stage, stateless } from '../../src/core/types.js';
import { testRun } from '../support/run.js';
import { thrown } from '../support/thrown.js';

type Numbered = { readonly n: number };

const PART_ROWS = 20;

/** Parts of 20 numbers each, in two chunks; says which were let go. */
function numbers(
  parts: number,
  more: Pick<Cut, 'csv' | 'end'> = {},
): Cut & { released: number[]; made: number } {
  const cut = {
    opening: null,
    byPlace: false,
    part: () => Promise.reject(new Error('is not asked by place')),
    released: [] as number[],
    made: 0,
    async *parts(): AsyncGenerator<Part, void> {
      for (let at = 0; at < parts; at++) {
        cut.made++;
        const start = at * PART_ROWS;
        yield {
          start,
          end: start + PART_ROWS,
          line: start + 1,
          lines: PART_ROWS,
          bytes: Buffer.from(`${at}`),
          async *read() {
            for (const from of [start, start + 10])
              yield Array.from({ length: 10 }, (_, i) => ({ n: from + i }));
          },
          release: () => cut.released.push(at),
        };
      }
    },
    ...more,
  };
  return cut;
}

const SOURCE: Source<Numbered> = {
  name: 'numbers',
  kind: 'memory',
  async *read() {},
  cut: async () => numbers(0),
};
const END: Sink<Row> = {
  name: 'kept',
  writes: 'nothing',
  open: () => Promise.reject(new Error('is opened by lane')),
};

const planOf = (...stages: Stage<Numbered>[]): FlowPlan => {
  let way = flow(SOURCE);
  for (const stage of stages) way = way.through(stage);
  return way.into(END);
};

/** What the end of a flow has: its parts, each with its rows and accounts, whichever lane has written it. */
interface Kept {
  readonly parts: Map<
    number,
    { rows: number[]; stages: readonly StageAccount[]; lane: number; raw: boolean }
  >;
  readonly ended: string[];
}

function following(
  kept: Kept,
  more: Partial<FollowingParts> & { readonly staging?: (lane: number) => Partial<PartStaging> } = {},
): FollowingParts {
  const { staging, ...rest } = more;
  return {
    signal: new AbortController().signal,
    lanes: 3,
    afterChunk: () => undefined,
    runFor(counter: StageCounter, _input: string, signal: AbortSignal) {
      const count =
        (table: 'skipped' | 'merged' | 'added') =>
        (reason: string, rows: number | readonly Row[] = 1) => {
          counter[table][reason] =
            (counter[table][reason] ?? 0) + (typeof rows === 'number' ? rows : rows.length);
        };
      return { ...testRun(), signal, skip: count('skipped'), merge: count('merged'), add: count('added') };
    },
    async openLane(_end, _run, _refused, lane) {
      let part: Part | undefined;
      let rows: number[] = [];
      return {
        begin(next) {
          assert.equal(part, undefined, 'the one before has ended');
          part = next;
        },
        async write(chunk: Chunk) {
          // Others have their turn.
          await sleep(1);
          for (const row of chunk) rows.push(row.n as number);
        },
        async endPart(stages) {
          kept.parts.set((part as Part).start, { rows, stages, lane, raw: false });
          part = undefined;
          rows = [];
        },
        close: async () => void kept.ended.push('closed'),
        discard: async () => void kept.ended.push('discarded'),
        ...staging?.(lane),
      };
    },
    ...rest,
  };
}

const nothing = (): Kept => ({ parts: new Map(), ended: [] });

/** What became of all rows at each stage. */
function summed({ parts }: Kept): StageAccount[] {
  const all = [...parts.values()].map(({ stages }) => stages);
  return (all[0] ?? []).map((_, at) =>
    all.map((stages) => stages[at] as StageAccount).reduce((one, other) => plus(one, other)),
  );
}

const short = (stages: readonly StageAccount[]) =>
  stages.map(({ stage, in: taken, out, skipped }) => [stage, taken, out, sum(skipped)]);

const even: Stage<Numbered> = stateless(
  named('even', async function* (rows, run) {
    for await (const chunk of rows) {
      run.skip('odd', chunk.length / 2);
      yield chunk.filter(({ n }) => n % 2 === 0);
    }
  }),
);

test('every part goes through the stages by itself, several at a time, with an account of its own', async () => {
  const kept = nothing();
  const cut = numbers(9);
  await followParts(planOf(even), cut, following(kept));
  assert.equal(kept.parts.size, 9);
  for (const [start, { rows, stages }] of kept.parts) {
    assert.deepEqual(
      rows,
      Array.from({ length: 10 }, (_, i) => start + 2 * i),
    );
    assert.deepEqual(short(stages), [
      ['read numbers', 20, 20, 0],
      ['even', 20, 10, 10],
      ['into kept', 10, 10, 0],
    ]);
    assert.ok(stages.every(({ readToEnd }) => readToEnd));
  }
  assert.deepEqual(new Set([...kept.parts.values()].map(({ lane }) => lane)), new Set([0, 1, 2]));
  assert.deepEqual(kept.ended, ['closed', 'closed', 'closed']);
  assert.deepEqual(
    cut.released.sort((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6, 7, 8],
  );
});

test('no more lanes are opened than there are parts, and none for an input without any', async () => {
  for (const parts of [0, 1, 2]) {
    const kept = nothing();
    await followParts(planOf(), numbers(parts), following(kept, { lanes: 4 }));
    assert.equal(kept.ended.length, parts);
    assert.equal(kept.parts.size, parts);
  }
});

test('where there is no room for a second lane, the first one loads everything', async () => {
  const kept = nothing();
  const given = following(kept);
  await followParts(planOf(even), numbers(5), {
    ...given,
    openLane: (end, run, refused, lane) =>
      lane === 0 ? given.openLane(end, run, refused, lane) : Promise.resolve(undefined),
  });
  assert.equal(kept.parts.size, 5);
  assert.deepEqual(kept.ended, ['closed']);
});

test('a stage is begun once for the parts that follow each other in a lane', async () => {
  let begun = 0;
  const counted: Stage<Numbered> = stateless(
    named('counted', (rows) => {
      begun++;
      return rows;
    }),
  );
  await followParts(planOf(counted), numbers(12), following(nothing(), { lanes: 1 }));
  assert.equal(begun, 1);
});

test('rows that a stage keeps back, whatever it has promised, belong to their own part', async () => {
  const late: Stage<Numbered> = stateless(
    named('late', async function* (rows) {
      let held: Chunk<Numbered> = [];
      for await (const chunk of rows) {
        yield held;
        held = chunk;
      }
      yield held;
    }),
  );
  const kept = nothing();
  await followParts(planOf(late, even), numbers(4), following(kept, { lanes: 2 }));
  for (const [start, { rows, stages }] of kept.parts) {
    assert.deepEqual(
      rows,
      Array.from({ length: 10 }, (_, i) => start + 2 * i),
    );
    assert.ok(stages.every((stage) => unaccounted(stage) === 0));
  }
  assert.equal(kept.parts.size, 4);
});

test('a stage that stops reading is seen in the accounts', async () => {
  const few: Stage<Numbered> = stateless(
    named('few', async function* (rows) {
      for await (const chunk of rows) {
        yield chunk.slice(0, 3);
        return;
      }
    }),
  );
  const kept = nothing();
  await followParts(planOf(few), numbers(3), following(kept, { lanes: 1 }));
  const [, stage] = summed(kept);
  assert.equal(stage?.readToEnd, false);
  assert.equal(unaccounted(stage as StageAccount), 21);
});

test('text that an end takes as it is becomes no row; what it does not take is read', async () => {
  const csv: CsvText = {
    delimiter: ',',
    columns: ['n'],
    nullText: '',
    gate: () => assert.fail('is for the end to ask'),
    numbered: () => assert.fail('is for the end to ask'),
  };
  const kept = nothing();
  const raw = (lane: number): Partial<PartStaging> => ({
    async raw(part, given, stages) {
      assert.equal(given, csv);
      if (part.start % 40 !== 0) return undefined;
      kept.parts.set(part.start, { rows: [], stages: stages(PART_ROWS), lane, raw: true });
      return PART_ROWS;
    },
  });
  const cut = numbers(6, { csv });
  await followParts(planOf(), cut, following(kept, { staging: raw }));
  assert.equal([...kept.parts.values()].filter((part) => part.raw).length, 3);
  assert.deepEqual(short(summed(kept)), [
    ['read numbers', 120, 120, 0],
    ['into kept', 120, 120, 0],
  ]);
  assert.equal(cut.released.length, 6);
  const through = nothing();
  await followParts(planOf(even), numbers(2, { csv }), following(through, { staging: raw }));
  assert.ok(
    [...through.parts.values()].every((part) => !part.raw),
    'a stage wants rows',
  );
});

test('the first error stops every lane and is the one that is thrown; all are discarded, and the reading ends', async () => {
  const kept = nothing();
  const cut = numbers(1000);
  const failing: Stage<Numbered> = stateless(
    named('failing', async function* (rows) {
      for await (const chunk of rows) {
        if (chunk.some(({ n }) => n === 130)) throw failed('boom', 'no 130');
        yield chunk;
      }
    }),
  );
  const error = await thrown(followParts(planOf(failing), cut, following(kept)));
  assert.equal(error.code, 'boom');
  assert.deepEqual(kept.ended, ['discarded', 'discarded', 'discarded']);
  assert.ok(cut.made < 30, `${cut.made} parts were made`);
});

test('an end that fails to close, and an input that ends wrong, fail the flow', async () => {
  const closing = nothing();
  const error = await thrown(
    followParts(
      planOf(),
      numbers(2),
      following(closing, {
        staging: () => ({
          close: async () => {
            throw failed('boom', 'it does not close');
          },
        }),
      }),
    ),
  );
  assert.equal(error.message, 'it does not close');
  const wrong = numbers(2, {
    end: () => {
      throw failed('boom', 'a column is missing');
    },
  });
  assert.equal(
    (await thrown(followParts(planOf(), wrong, following(nothing())))).message,
    'a column is missing',
  );
});

test('whoever is told to stop stops, and says so', async () => {
  const controller = new AbortController();
  const kept = nothing();
  const stopping: Stage<Numbered> = stateless(
    named('stopping', async function* (rows) {
      for await (const chunk of rows) {
        if (chunk.some(({ n }) => n === 100)) controller.abort();
        yield chunk;
      }
    }),
  );
  const error = await thrown(
    followParts(planOf(stopping), numbers(1000), following(kept, { signal: controller.signal })),
  );
  assert.equal(error.kind, 'interrupted');
  assert.ok(kept.ended.every((each) => each === 'discarded'));
});
