import { csv, flow, merge, pipeline } from 'sluice';
import { filter, validate } from 'sluice/transforms';
import { EVENTS } from './events.js';

const schema = {
  type: 'object',
  required: ['id', 'code', 'customer'],
  properties: {
    id: { type: 'integer', minimum: 1 },
    code: { type: 'string', pattern: '^AB-' },
    quantity: { type: 'integer', minimum: 0 },
    price: { type: 'number' },
    status: { enum: ['open', 'sent', 'closed'] },
  },
};

/** An import as migrations have them: checked, merged by key, and with a record of every row. */
export default pipeline({
  name: 'events-import',
  summary: 'A file of ten columns merged into one table, with a record of every row',
  inputs: { events: csv('events.csv', { columns: EVENTS }) },
  tables: { events: merge('events', { columns: EVENTS, key: ['id'] }) },
  records: { events: { type: 'event', sourceId: 'id' } },
  flows: ({ inputs, tables }) => [
    flow(inputs.events)
      .through(
        filter((row) => row.status !== 'lost', 'lost'),
        validate(schema),
      )
      .into(tables.events),
  ],
});
