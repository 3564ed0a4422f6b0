import {
  csv,
  flow,
  jsonl,
  pipeline,
  type Row,
  replace,
  type Source,
  type Stage,
  sqlite,
  stateless,
} from 'sluice';
import { lookup, map, validate } from 'sluice/transforms';
import { EVENTS, SCHEMA } from './events-table.js';

const STATUSES = SCHEMA.properties.status.enum.map((status) => ({ status, label: status }));

type Event = Readonly<Record<(typeof EVENTS)[number], unknown>>;

const readers: Readonly<Record<'csv' | 'jsonl' | 'sqlite', Source<Event>>> = {
  csv: csv('events.csv', { columns: EVENTS }),
  jsonl: jsonl('events.jsonl', { columns: EVENTS }),
  sqlite: sqlite('events.db', { table: 'events' }),
};

/** `stage` as one that keeps nothing, where the flow is to be loaded in parts. */
const kept = <In extends Row, Out extends Row>(stage: Stage<In, Out>): Stage<In, Out> =>
  process.env.EVENTS_IN === 'parts' ? stateless(stage) : stage;

/** The rows of a file changed, validated and looked up on their way into one table. EVENTS_AS: what kind of file it is; EVENTS_IN=parts. */
export default pipeline({
  name: 'events-through',
  summary: 'A file of ten columns through three stages into one table',
  inputs: { events: readers[(process.env.EVENTS_AS ?? 'csv') as keyof typeof readers] },
  tables: { events: replace('events', { columns: EVENTS }) },
  flows: ({ inputs, tables }) => [
    flow(inputs.events)
      .through(
        kept(map((row) => ({ ...row, code: String(row.code).toUpperCase() }), 'upper')),
        validate(SCHEMA),
        kept(lookup({ from: STATUSES, key: 'status', take: { status: 'label' } })),
      )
      .into(tables.events),
  ],
});
