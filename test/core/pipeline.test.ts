import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interrupted } from '../../src/core/errors/author.js';
import { endsOf, flow } from '../../src/core/flow.js';
import { offenders, pipeline } from '../../src/core/pipeline.js';
import { append, merge, patch, replace, type Target } from '../../src/core/target.js';
import { named, type Stage } from '../../src/core/types.js';
import { untilAborted } from '../../src/core/until-aborted.js';
import { memory } from '../../src/sources/memory.js';

const rows = memory('rows', [{ id: '1', name: 'x' }]);
const define = (more: {
  name?: string;
  inputs?: object;
  tables?: Record<string, Target>;
  indispensable?: readonly string[];
  system?: string;
}) => pipeline({ name: 'ok', summary: '', inputs: { rows }, tables: {}, flows: () => [], ...more } as never);

test('a definition that cannot run is wrong usage, with the reason', () => {
  for (const [definition, why] of [
    [{ name: 'Not Kebab' }, /pipeline "Not Kebab": the name must be kebab-case/],
    [{ name: '' }, /the name must be kebab-case/],
    [{ inputs: {} }, /it declares no inputs/],
    [{ system: 'x'.repeat(51) }, /must have 1 to 50 characters/],
    [{ system: '' }, /must have 1 to 50 characters/],
    [{ tables: { a: merge('a', { columns: ['id'], key: [] }) } }, /merge\('a'\) needs a key/],
    [{ tables: { a: patch('a', { columns: ['id'], key: [] }) } }, /patch\('a'\) needs a key/],
    [{ tables: { a: append('a', { columns: [] }) } }, /append\('a'\) must say which columns/],
    [{ tables: { a: replace('lots'), b: replace('lots') } }, /the table lots is declared twice/],
    [{ indispensable: ['rows', 'tasks'] }, /"tasks" is indispensable, and no input/],
  ] as const)
    assert.throws(() => define(definition), { kind: 'usage', code: 'bad_pipeline', message: why });
});

test('declaring a flow reads nothing; a way is not changed by what is added to it', () => {
  const never: typeof rows = { ...rows, read: () => assert.fail('it was read') };
  const stage: Stage<{ id: string; name: string }> = named('as is', (each) => each);
  const start = flow(never);
  const one = start.through(stage);
  const two = one.through(stage);
  const [a, b] = [replace('a', { columns: ['id'] }), replace('b', { columns: ['id', 'name'] })];
  assert.equal(start.into(a).root.stages.length, 0);
  assert.equal(one.into(a).root.stages.length, 1);
  const plan = two.fork(
    (way) => way.into(b),
    (way) => way.through(stage).fork((inner) => inner.into(a)),
  );
  assert.deepEqual(endsOf(plan.root), [b, a]);
  // @ts-expect-error: the rows lack the column.
  flow(never).into(replace('c', { columns: ['colour'] }));
});

test('offenders are listed up to a bound, and the others counted', () => {
  const found = (n: number) =>
    offenders(
      Array.from({ length: n }, (_, id) => ({ id })),
      (count) => `${count} are wrong`,
      (row) => `row ${row.id}`,
      { limit: 2, next: 'fix them' },
    );
  assert.deepEqual(found(0), []);
  assert.deepEqual(found(3), [
    {
      severity: 'error',
      message: '3 are wrong',
      details: ['row 0', 'row 1', '… and 1 more'],
      next: 'fix them',
    },
  ]);
  assert.deepEqual(found(2)[0]?.details, ['row 0', 'row 1']);
});

test('a wait that is aborted ends at once, and what comes of it later is nobody’s business', async () => {
  const controller = new AbortController();
  const fails = new Promise<never>((_, reject) => setTimeout(() => reject(new Error('late')), 5));
  const waiting = untilAborted(fails, controller.signal);
  controller.abort(interrupted());
  await assert.rejects(waiting, { kind: 'interrupted' });
  await assert.rejects(untilAborted(Promise.resolve(1), controller.signal), { kind: 'interrupted' });
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(await untilAborted(Promise.resolve(1), new AbortController().signal), 1);
});
