import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Contest } from './contest.js';
import { type EventFiles, generate } from './events.js';
import { COLUMNS, EVENTS, FROM_STAGING, INDEXES } from './events-table.js';
import { type Command, installed } from './measure.js';
import type { Place } from './place.js';
import { script } from './script.js';

const STAGING = `CREATE TABLE incoming.events (${COLUMNS})`;

/** Where the files of so many rows are. */
export function eventFiles(place: Place, rows: number): EventFiles {
  const path = (ending: string) => join(place.folder, `events-${rows}.${ending}`);
  return { csv: path('csv'), changed: path('changed.csv'), jsonl: path('jsonl'), sqlite: path('db') };
}

/** One table of ten columns: file → staging → indexes → live. */
export function loadContests(place: Place, rows: number, files: EventFiles): Contest[] {
  const copy = (file: string, ...more: string[]) =>
    place.sluice(['copy', file, '--into', 'public.events', '--mode', 'replace', '--yes', '--quiet', ...more]);
  const importing = (records: string) =>
    place.sluice([
      ...['run', place.compiled('records-pipeline.js'), '--source', files.csv],
      ...['--records', records, '--yes', '--quiet'],
    ]);
  const through = (kind: 'csv' | 'jsonl' | 'sqlite'): Command => ({
    ...place.sluice([
      ...['run', place.compiled('through-pipeline.js'), '--source', files[kind]],
      ...['--yes', '--quiet'],
    ]),
    env: { EVENTS_AS: kind },
  });
  const inParts = (...more: string[]): Command => ({
    ...place.sluice([
      ...['run', place.compiled('through-pipeline.js'), '--source', files.csv],
      ...['--yes', '--quiet', ...more],
    ]),
    env: { EVENTS_AS: 'csv', EVENTS_IN: 'parts' },
  });
  const shared = {
    rows,
    setUp: () => generate(rows, files),
    prepare: () =>
      place.restore('events', async (url) => {
        await place.query(
          `CREATE SCHEMA incoming; CREATE SCHEMA outgoing; CREATE TABLE public.events (${COLUMNS}); ${INDEXES('public').join('; ')}`,
          url,
        );
      }),
    checksum: () => place.checksum(['events']),
  };
  const limit = script(
    [STAGING, { into: 'incoming.events', file: files.csv }, ...FROM_STAGING],
    place.url,
    place.folder,
    'limit',
  );
  const keyed = script([{ into: 'public.events', file: files.csv }], place.url, place.folder, 'keyed');
  return [
    {
      ...shared,
      key: 'csv',
      work: 'CSV into one table of ten columns',
      contestants: [
        { name: 'sluice copy', command: copy(files.csv) },
        { name: 'sluice copy --jobs 1', command: copy(files.csv, '--jobs', '1') },
        { name: 'the DBA’s script: COPY of the raw file, indexes, rename', atMost: 0.65, command: limit },
        { name: '\\copy into the table with its indexes', command: keyed },
        ...parallelPsql(place, files.csv),
        {
          name: 'pgloader',
          runs: 1,
          atMost: 1 / 8,
          ...(installed('pgloader') ? {} : { skip: 'not installed' }),
          command: pgloader(place, files.csv),
        },
        {
          name: 'the usual Node way',
          runs: 1,
          atMost: 1 / 6,
          command: place.node('usual.js', [
            files.csv,
            JSON.stringify([STAGING]),
            JSON.stringify(FROM_STAGING),
          ]),
        },
      ],
    },
    {
      ...shared,
      key: 'one-session',
      work: 'the same by one session',
      contestants: [
        { name: 'sluice copy --jobs 1', command: copy(files.csv, '--jobs', '1') },
        { name: 'the DBA’s script', atMost: 1.05, command: limit },
      ],
    },
    {
      ...shared,
      key: 'unchanged',
      work: 'the file that is live already',
      contestants: [
        { name: 'sluice copy, again', before: copy(files.csv), command: copy(files.csv) },
        { name: 'sluice copy', atMost: 0.1, command: copy(files.csv) },
      ],
    },
    {
      ...shared,
      key: 'changed',
      work: 'a file of which every hundredth row is another than in live',
      contestants: [
        { name: 'sluice copy, again', before: copy(files.csv), command: copy(files.changed) },
        { name: 'sluice copy', atMost: 1, command: copy(files.changed) },
      ],
    },
    {
      ...shared,
      key: 'stages',
      work: 'CSV through map, validate and lookup',
      contestants: [
        { name: 'sluice run', command: through('csv') },
        { name: 'sluice copy --jobs 1', atMost: 1.5, command: copy(files.csv, '--jobs', '1') },
      ],
    },
    ...(
      [
        ['jsonl', 'JSON Lines', 1.3],
        ['sqlite', 'SQLite', 1.5],
      ] as const
    ).map(([key, name, atMost]) => ({
      ...shared,
      key,
      work: `${name} through the same stages`,
      contestants: [
        { name, command: through(key) },
        { name: 'CSV', atMost, command: through('csv') },
      ],
    })),
    {
      ...shared,
      key: 'threads',
      work: 'CSV through the same stages in parts',
      contestants: [
        { name: 'sluice run', command: inParts() },
        { name: 'sluice run --threads 1', command: inParts('--threads', '1') },
        { name: 'sluice run --threads 2', command: inParts('--threads', '2') },
      ],
    },
    {
      ...shared,
      key: 'records',
      work: 'a checked import, merged by key, with a record of every row in the ledger',
      contestants: [
        { name: 'sluice, --records all', command: importing('all') },
        { name: 'sluice, --records errors', command: importing('errors') },
        { name: 'sluice, --records none', command: importing('none'), atMost: 2.5 },
      ],
    },
  ];
}

/** Lines dealt out to two sessions, as is done by hand; right as long as no value holds a line end. */
function parallelPsql(place: Place, csv: string): Contest['contestants'] {
  const name = 'split and two psql, the same indexes and rename';
  const missing = ['psql', 'split'].find((program) => !installed(program));
  const psql = `psql -X -q -v ON_ERROR_STOP=1 -d ${place.url}`;
  const lines = (statements: readonly string[]) => statements.map((sql) => `${sql};`).join('\n');
  const before = join(place.folder, 'parallel-before.sql');
  const after = join(place.folder, 'parallel-after.sql');
  writeFileSync(before, lines([STAGING]));
  writeFileSync(after, lines(FROM_STAGING));
  const copy = `${psql} -c "COPY incoming.events FROM STDIN WITH (FORMAT csv)"`;
  const work = `set -e; ${psql} -f ${before}; tail -n +2 ${csv} | split -n r/2 --filter='${copy}'; ${psql} -f ${after}`;
  return [
    {
      name,
      ...(missing === undefined ? {} : { skip: `${missing} is not installed` }),
      command: { program: 'sh', args: ['-c', work], cwd: place.folder },
    },
  ];
}

function pgloader(place: Place, csv: string): Command {
  const file = join(place.folder, 'events.load');
  const dollars = (statements: readonly string[]) => statements.map((sql) => `$$ ${sql}; $$`).join(',\n  ');
  writeFileSync(
    file,
    `LOAD CSV FROM '${csv}' (${EVENTS.join(', ')})
  INTO ${place.url}
  TARGET TABLE incoming.events (${EVENTS.join(', ')})
  WITH skip header = 1, fields optionally enclosed by '"', fields escaped by double-quote, fields terminated by ','
  BEFORE LOAD DO ${dollars([STAGING])}
  AFTER LOAD DO ${dollars(FROM_STAGING.filter((sql) => sql !== 'BEGIN' && sql !== 'COMMIT'))};
`,
  );
  return { program: 'pgloader', args: ['--quiet', file], cwd: place.folder };
}
