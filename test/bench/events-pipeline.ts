import { csv, flow, pipeline, replace } from 'sluice';

/** The pipeline that the benchmark runs: one file into one table, guards on, nothing else. */
export default pipeline({
  name: 'events',
  summary: 'A file of ten columns into one table',
  inputs: { events: csv('events.csv') },
  tables: { events: replace('events') },
  flows: ({ inputs, tables }) => [flow(inputs.events).into(tables.events)],
});
