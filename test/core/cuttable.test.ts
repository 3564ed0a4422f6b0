import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayBeCut } from '../../src/core/cuttable.js';
import { type FlowBuilder, type FlowPlan, flow } from '../../src/core/flow.js';
import type { Row } from '../../src/core/row.js';
import { type Sink, type Source, type Stage, stateless, within } from '../../src/core/types.js';
import { distinct } from '../../transforms/distinct.js';
import { filter } from '../../transforms/filter.js';
import { group } from '../../transforms/group.js';
import { map } from '../../transforms/map.js';
import { renumber } from '../../transforms/renumber.js';
import { sort } from '../../transforms/sort/index.js';

const END: Sink = { name: 'end', writes: 'nothing', open: () => Promise.reject(new Error('is not opened')) };

/** Cut so that rows of one line and month are in one part. */
const SOURCE: Source = {
  name: 'parted',
  kind: 'query',
  groups: [['line', 'month'], ['id']],
  async *read() {},
  cut: () => Promise.reject(new Error('is not cut')),
};

type Way = FlowBuilder<Row, FlowPlan>;

const may = (build: (way: Way) => Way, source: Source = SOURCE) =>
  mayBeCut(build(flow<Row>(source)).into(END));

const grouping = (by: string | readonly string[] | ((row: Row) => unknown)): Stage =>
  group<Row, Row, Row>({ by, start: (row) => row, add: () => {}, finish: (row) => row });
const numbering = (by: string | readonly string[], as = 'number'): Stage =>
  renumber<Row, string>({ within: by, as, prefix: () => '' });

test('what groups or numbers within groups that are in one part may be done part by part', () => {
  for (const by of ['id', ['line', 'month'], ['month', 'line', 'shift']])
    for (const stage of [grouping(by), numbering(by), distinct<Row>({ by })])
      assert.ok(
        may((way) => way.through(stage)),
        String(by),
      );
});

test('what groups or numbers across parts keeps the flow in one piece', () => {
  for (const by of ['line', ['month', 'shift'], (row: Row) => row.id])
    assert.ok(!may((way) => way.through(grouping(by))), String(by));
  assert.ok(!may((way) => way.through(numbering('line'))));
  assert.ok(!may((way) => way.through(distinct<Row>({ by: 'month' }))));
  assert.ok(!may((way) => way.through(sort<Row>({ name: 'ids', by: [{ column: 'id', as: 'text' }] }))));
  assert.ok(!may((way) => way.through(map((row: Row) => row))));
  assert.ok(!may((way) => way.through(grouping('id')), { ...SOURCE, groups: [] }));
});

test('a source that cannot be cut, or says nothing of groups, keeps what groups in one piece', () => {
  const { cut: _, ...uncut } = SOURCE;
  const { groups: __, ...silent } = SOURCE;
  const plain = stateless(filter<Row>(() => true, 'none'));
  assert.ok(!may((way) => way.through(plain), uncut));
  assert.ok(may((way) => way.through(plain), silent));
  assert.ok(!may((way) => way.through(grouping('id')), silent));
});

test('what is known of the groups is lost with a stage that may change their columns', () => {
  const plain = stateless(map((row: Row) => ({ ...row, id: 1 })));
  assert.ok(!may((way) => way.through(plain, grouping('id'))));
  // Grouping makes rows of its own.
  assert.ok(!may((way) => way.through(grouping('id'), grouping('id'))));
  // Numbering and leaving out do not, but for the column that is set.
  assert.ok(
    may((way) => way.through(numbering('id'), distinct<Row>({ by: 'id' }), grouping(['line', 'month']))),
  );
  assert.ok(!may((way) => way.through(numbering(['line', 'month'], 'id'), grouping('id'))));
});

test('columns that a stage gives tell groups as well, in every branch behind it', () => {
  const keyed = within<Row>(
    ['line', 'month'],
    map((row: Row) => row),
    { keeps: true, gives: ['lot'] },
  );
  assert.ok(may((way) => way.through(keyed, grouping('lot'))));
  assert.ok(
    !may((way) =>
      way.through(
        within<Row>(
          ['line', 'month'],
          map((row: Row) => row),
        ),
        grouping('lot'),
      ),
    ),
  );
  const forked = (second: Stage) =>
    mayBeCut(
      flow<Row>(SOURCE)
        .through(keyed)
        .fork(
          (rows) => rows.through(grouping('lot')).into(END),
          (rows) => rows.fork((inner) => inner.through(second).into(END)),
        ),
    );
  assert.ok(forked(grouping('id')));
  assert.ok(!forked(grouping('line')));
});
