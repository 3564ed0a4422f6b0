// A column is filled from another source by a key. A row for which nothing is found is a reject, unless `missing` says
// that NULL will do.
import { flow, memory, pipeline, query, replace } from 'sluice';
import { lookup, map } from 'sluice/transforms';

export interface Line {
  readonly id: string;
  readonly sku: string;
  readonly pieces: string;
}

/** Prices stand in the database already; they are read once, with the run's own snapshot. */
const prices = query<{ readonly sku: string; readonly cents: string }>('SELECT sku, cents FROM prices', {
  name: 'prices',
  columns: ['sku', 'cents'],
});

export default pipeline({
  name: 'lookups',
  summary: 'Order lines with what they cost',
  inputs: {
    lines: memory<Line>('lines', [
      { id: '1', sku: 'bolt', pieces: '10' },
      { id: '2', sku: 'nut', pieces: '4' },
      { id: '3', sku: 'gear', pieces: '1' },
    ]),
    prices,
  },
  tables: { lines: replace('lines', { columns: ['id', 'sku', 'cents'] }) },
  flows: ({ inputs, tables }) => [
    flow(inputs.lines)
      .through(
        lookup({ from: inputs.prices, key: 'sku', take: { each: 'cents' }, reason: 'no_price' }),
        map(({ id, sku, pieces, each }) => ({ id, sku, cents: String(Number(pieces) * Number(each)) })),
      )
      .into(tables.lines),
  ],
});
