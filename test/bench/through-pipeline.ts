import { csv, flow, jsonl, pipeline, replace, type Source, sqlite } from 'sluice';
import { lookup, map, validate } from 'sluice/transforms';
import { EVENTS, SCHEMA } from './events-table.js';

const STATUSES = SCHEMA.properties.status.enum.map((status) => ({ status, label: status }));

type Event = Readonly<Record<(typeof EVENTS)[number], unknown>>;

const readers: Readonly<Record<'csv' | 'jsonl' | 'sqlite', Source<Event>>> = {
  csv: csv('events.csv', { columns: EVENTS }),
  jsonl: jsonl('events.jsonl', { columns: EVENTS }),
  sqlite: sqlite('events.db', { table: 'events' }),
};

/** The rows of a file changed, validated and looked up on their way into one table. EVENTS_AS: what kind of file it is. */
export default pipeline({
  name: 'events-through',
  summary: 'A file of ten columns through three stages into one table',
  inputs: { events: readers[(process.env.EVENTS_AS ?? 'csv') as keyof typeof readers] },
  tables: { events: replace('events', { columns: EVENTS }) },
  flows: ({ inputs, tables }) => [
    flow(inputs.events)
      .through(
        map((row) => ({ ...row, code: String(row.code).toUpperCase() }), 'upper'),
        validate(SCHEMA),
        lookup({ from: STATUSES, key: 'status', take: { status: 'label' } }),
      )
      .into(tables.events),
  ],
});
