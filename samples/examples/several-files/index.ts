// Files of the same columns, one after the other, as one input. Every row knows the file that it is from; its line alone
// would not tell.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type CsvRow, csv, flow, pipeline, replace, type Source } from 'sluice';

type Sale = CsvRow<'day' | 'shop' | 'cents'> & { readonly file: string };

/** The rows of all CSV files of a folder, in the order of their names. */
export function sales(folder: string): Source<Sale> {
  return {
    name: folder,
    kind: 'file',
    columns: ['day', 'shop', 'cents', 'file'],
    async *read(run) {
      for (const file of readdirSync(folder)
        .filter((name) => name.endsWith('.csv'))
        .sort()) {
        const source = csv(join(folder, file), { columns: ['day', 'shop', 'cents'] });
        for await (const chunk of source.read(run)) yield chunk.map((row) => ({ ...row, file }));
      }
    },
  };
}

export const salesOf = (folder: string) =>
  pipeline({
    name: 'several-files',
    summary: 'Sales out of a file for each month',
    inputs: { sales: sales(folder) },
    tables: { sales: replace('sales', { columns: ['day', 'shop', 'cents', 'file'] }) },
    flows: ({ inputs, tables }) => [flow(inputs.sales).into(tables.sales)],
  });

export default salesOf('sales');
