// Rows of each group are numbered one after the other, in the order that a sort gives them; rows that have a number keep it.
import { flow, memory, pipeline, replace } from 'sluice';
import { renumber, sort } from 'sluice/transforms';

export interface Invoice {
  readonly id: string;
  readonly year: string;
  readonly written_on: string;
}

export default pipeline({
  name: 'renumbering',
  summary: 'Invoices with a number for each year',
  inputs: {
    invoices: memory<Invoice>('invoices', [
      { id: 'c', year: '2025', written_on: '2025-02-01' },
      { id: 'a', year: '2024', written_on: '2024-12-30' },
      { id: 'b', year: '2025', written_on: '2025-01-07' },
    ]),
  },
  tables: { invoices: replace('invoices', { columns: ['id', 'number'] }) },
  flows: ({ inputs, tables }) => [
    flow(inputs.invoices)
      .through(
        sort<Invoice>({ name: 'year, then date', by: ['year', 'written_on', 'id'] }),
        renumber({ within: 'year', prefix: (row: Invoice) => `${row.year}-`, as: 'number', width: 4 }),
      )
      .into(tables.invoices),
  ],
});
