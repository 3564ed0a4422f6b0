import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  type CsvRow,
  csv,
  type FlowBuilder,
  type FlowPlan,
  flow,
  merge,
  pipeline,
  query,
  type Row,
  replace,
  type Sink,
  type Source,
  type Stage,
} from 'sluice';
import { distinct, filter, lookup, map, renumber, sort } from 'sluice/transforms';

// What authors of pipelines rely on is asked of the compiler: `npm test` begins with tsc, which refuses an @ts-expect-error
// that no error follows as well as an error that none announces. The package is imported by its name, as authors do.

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only where the two types are the same, not merely assignable. */
const same = <A, B>(answer: Same<A, B>): void => assert.equal(answer, true);

type Part = CsvRow<'sku' | 'price'>;
const parts = csv('parts.csv', { columns: ['sku', 'price'] });
const priced: Stage<Part, Part & { readonly cents: number }> = map((row: Part) => ({
  ...row,
  cents: Number(row.price) * 100,
}));

it('a source knows the columns that it is declared with, and their values as text or null', () => {
  same<typeof parts, Source<Part>>(true);
  same<Part['sku'], string | null>(true);
  assert.deepEqual(parts.columns, ['sku', 'price']);
});

it('a flow has the rows as its last stage leaves them', () => {
  const plan = flow(parts)
    .through(filter((row: Part) => row.sku !== null, 'without_sku'))
    .through(priced)
    .into(replace('parts', { columns: ['sku', 'cents'] }));
  same<typeof plan, FlowPlan>(true);
  assert.equal(plan.root.stages.length, 2);
});

it('a table whose column the rows lack is refused, and the type names the column', () => {
  const plan = flow(parts).into(
    // @ts-expect-error the rows lack the column `weight`
    replace('parts', { columns: ['sku', 'weight'] }),
  );
  assert.ok(plan);
});

it('a stage that reads a column which the stage before it does not give is refused', () => {
  const heavy = map((row: { readonly weight: string }) => row);
  // @ts-expect-error a row of the CSV has no `weight`
  const plan = flow(parts).through(heavy).into(replace('parts'));
  assert.ok(plan);
});

it('every branch of a fork has the rows before it, and ends', () => {
  const plan = flow(parts).fork(
    (rows) => rows.through(priced).into(replace('parts')),
    (rows) => rows.into(merge('skus', { columns: ['sku'], key: ['sku'] })),
  );
  same<typeof plan, FlowPlan>(true);
  // @ts-expect-error a branch without an end
  const open = () => flow(parts).fork((rows) => rows.through(priced));
  assert.equal(plan.root.fork?.length, 2);
  assert.ok(open);
});

it('a sink takes the rows that it is made for', () => {
  const sink = { name: 'prices', writes: 'nothing' } as unknown as Sink<{ readonly cents: number }>;
  const plan = flow(parts).through(priced).into(sink);
  // @ts-expect-error rows without `cents`
  const early = flow(parts).into(sink);
  assert.ok(plan);
  assert.ok(early);
});

it('merge and patch want their key, append its columns', () => {
  // @ts-expect-error no key
  const keyless = () => merge('parts', { columns: ['sku'] });
  assert.ok(keyless);
});

it('a pipeline gives its flows the inputs and tables that it declares, by their names and types', () => {
  const made = pipeline({
    name: 'parts',
    summary: 'parts with their prices',
    inputs: { parts, known: query<{ readonly sku: string }>('SELECT sku FROM skus') },
    tables: { parts: replace('parts', { columns: ['sku', 'price'] }) },
    flows: ({ inputs, tables, ...given }) => {
      same<typeof inputs.known, Source<{ readonly sku: string }>>(true);
      same<typeof given.settings, Readonly<Record<string, string>>>(true);
      // @ts-expect-error no such input
      assert.equal(inputs.prices, undefined);
      return [flow(inputs.parts).into(tables.parts)];
    },
  });
  assert.equal(made.name, 'parts');
});

it('a row of unknown columns has values of unknown type, so that none is taken for text', () => {
  same<Row[string], unknown>(true);
  // @ts-expect-error unknown is no text
  const text = (row: Row): string => row.sku;
  assert.ok(text);
});

it('ten stages in one `through` hand on what each of them makes of the rows', () => {
  const named = filter((row: Part) => row.sku !== null, 'without_sku');
  const plan = flow(parts).through(
    ...([named, named, named, named, named, named, named] as const),
    map((row) => ({ ...row, cents: 1 })),
    filter((row) => row.cents > 0, 'free'),
    map((row) => ({ total: row.cents })),
  );
  same<typeof plan, FlowBuilder<{ total: number }, FlowPlan>>(true);
});

it('columns by which rows are compared, numbered or looked up are columns of the rows', () => {
  const of = (...stages: readonly Stage<Part, Row>[]) => assert.equal(stages.length, 3);
  of(
    distinct<Part>({ by: 'sku' }),
    renumber<Part, 'no'>({ within: 'sku', as: 'no', width: 3 }),
    lookup({ from: [{ id: '1', name: 'one' }], key: 'id', on: 'sku', take: { name: 'name' } }),
  );
  // @ts-expect-error no such column
  const typo = flow(parts).through(distinct({ by: 'skus' }));
  // @ts-expect-error no such column
  const within = flow(parts).through(renumber({ within: 'skus', as: 'no', width: 3 }));
  const on = flow(parts).through(
    // @ts-expect-error no such column
    lookup({ from: [{ id: '1', name: 'one' }], key: 'id', on: 'skus', take: { name: 'name' } }),
  );
  assert.ok([typo, within, on].every(Boolean));
});

it('numbering and sorting keep the columns of the rows, so that a table is compared with them', () => {
  const inOrder = flow(parts).through(sort({ name: 'by sku', by: 'sku' }));
  same<typeof inOrder, FlowBuilder<Part, FlowPlan>>(true);
  const numbered = flow(parts).through(renumber({ within: 'sku', as: 'no', width: 3 }));
  numbered.into(replace('parts', { columns: ['sku', 'no'] }));
  // @ts-expect-error the rows lack the column `weight`
  numbered.into(replace('parts', { columns: ['weight'] }));
  // @ts-expect-error the rows lack the column `weight`
  inOrder.into(replace('parts', { columns: ['weight'] }));
});
