// Rows are read from another database than the one that they go to, page by page along the primary key: flat memory, and
// one snapshot for all pages. `query()` reads the run's own database; for another one a source opens a session itself.
import pg from 'pg';
import { flow, markOrigin, pipeline, replace, type Source } from 'sluice';
import { map } from 'sluice/transforms';

export interface Customer {
  readonly id: string;
  readonly mail: string | null;
}

const PAGE = 500;

/** The customers of the database that the setting `old` names. Values stay the text that the server has. */
const customers: Source<Customer> = {
  name: 'old customers',
  kind: 'query',
  columns: ['id', 'mail'],
  async *read(run) {
    const client = new pg.Client({ connectionString: run.settings.old });
    client.on('error', () => {});
    await client.connect();
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      let after = '0';
      for (let place = 0; ; ) {
        run.signal.throwIfAborted();
        const { rows } = await client.query<Customer>(
          'SELECT id::text, mail FROM customers WHERE id > $1 ORDER BY customers.id LIMIT $2',
          [after, PAGE],
        );
        if (rows.length > 0) yield rows.map((row) => markOrigin(row, ++place));
        if (rows.length < PAGE) return;
        after = rows.at(-1)?.id ?? after;
      }
    } finally {
      await client.end().catch(() => {});
    }
  },
};

export default pipeline({
  name: 'two-databases',
  summary: 'Customers out of the database of the old system',
  settings: { old: { summary: 'the URL of the old database', default: 'postgresql://localhost/old' } },
  inputs: { customers },
  tables: { customers: replace('customers', { columns: ['id', 'mail'] }) },
  flows: ({ inputs, tables }) => [
    flow(inputs.customers)
      .through(map((row) => ({ ...row, mail: row.mail?.toLowerCase() ?? null })))
      .into(tables.customers),
  ],
});
