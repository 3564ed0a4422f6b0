import { csv, flow, merge, pipeline } from 'sluice';
import { filter, validate } from 'sluice/transforms';
import { EVENTS, SCHEMA } from './events-table.js';

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
        validate(SCHEMA),
      )
      .into(tables.events),
  ],
});
