import { once } from 'node:events';
import { createWriteStream, existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generator } from '../../samples/lot-consolidation/system.js';
import type { Contest } from './contest.js';
import { installed } from './measure.js';
import type { Place } from './place.js';
import { script } from './script.js';

/** The columns of the table that is loaded: ten, of the usual types. */
export const EVENTS = [
  'id',
  'code',
  'customer',
  'quantity',
  'price',
  'status',
  'note',
  'created_at',
  'due',
  'paid',
] as const;

const COLUMNS = `id bigint NOT NULL, code varchar(20) NOT NULL, customer text NOT NULL, quantity integer NOT NULL,
  price numeric(10,2) NOT NULL, status text NOT NULL, note text, created_at timestamptz NOT NULL, due date, paid boolean NOT NULL`;

const INDEXES = (schema: string) => [
  `ALTER TABLE ${schema}.events ADD CONSTRAINT events_pkey PRIMARY KEY (id)`,
  `CREATE INDEX events_created_at_idx ON ${schema}.events (created_at)`,
];

const FROM_STAGING = [
  ...INDEXES('incoming'),
  'ANALYZE incoming.events',
  'BEGIN',
  'ALTER TABLE public.events SET SCHEMA outgoing',
  'ALTER TABLE incoming.events SET SCHEMA public',
  'COMMIT',
];

/** One table of ten columns: file → staging → indexes → live. */
export function eventsContests(place: Place, rows: number): Contest[] {
  const csv = join(place.folder, `events-${rows}.csv`);
  const jsonl = join(place.folder, `events-${rows}.jsonl`);
  const staging = `CREATE TABLE incoming.events (${COLUMNS})`;
  const sluice = (file: string) =>
    place.sluice(['copy', file, '--into', 'public.events', '--mode', 'replace', '--yes', '--quiet']);
  const importing = (records: string, file: string) =>
    place.sluice([
      ...['run', place.compiled('records-pipeline.js'), '--source', file],
      ...['--records', records, '--yes', '--quiet'],
    ]);
  const shared = {
    rows,
    setUp: () => generate(rows, csv, jsonl),
    async prepare() {
      await place.restore('events', async (url) => {
        await place.query(
          `CREATE SCHEMA incoming; CREATE SCHEMA outgoing; CREATE TABLE public.events (${COLUMNS}); ${INDEXES('public').join('; ')}`,
          url,
        );
      });
    },
    checksum: () => place.checksum(['events']),
  };
  const loadFile = join(place.folder, 'events.load');
  writeFileSync(loadFile, pgloaderScript(csv, place.url));
  return [
    {
      ...shared,
      key: 'csv',
      work: 'CSV into one table of ten columns',
      contestants: [
        { name: 'sluice copy', command: sluice(csv) },
        {
          name: 'the limit: COPY of the raw file',
          atMost: 1.15,
          command: script(
            [staging, { into: 'incoming.events', file: csv }, ...FROM_STAGING],
            place.url,
            place.folder,
            'limit',
          ),
        },
        {
          name: 'pgloader',
          atMost: 1 / 8,
          ...(installed('pgloader') ? {} : { skip: 'not installed' }),
          command: { program: 'pgloader', args: ['--quiet', loadFile], cwd: place.folder },
        },
        {
          name: 'the usual Node way',
          atMost: 1 / 6,
          command: place.node('usual.js', [csv, JSON.stringify([staging]), JSON.stringify(FROM_STAGING)]),
        },
      ],
    },
    {
      ...shared,
      key: 'jsonl',
      work: 'JSON Lines into the same table',
      contestants: [
        { name: 'sluice copy, JSON Lines', command: sluice(jsonl) },
        { name: 'sluice copy, CSV', command: sluice(csv), atMost: 2 },
      ],
    },
    {
      ...shared,
      key: 'records',
      work: 'a checked import, merged by key, with a record of every row in the ledger',
      contestants: [
        { name: 'sluice, --records all', command: importing('all', csv) },
        { name: 'sluice, --records errors', command: importing('errors', csv) },
        { name: 'sluice, --records none', command: importing('none', csv), atMost: 2.5 },
      ],
    },
  ];
}

function pgloaderScript(csv: string, url: string): string {
  const dollars = (statements: readonly string[]) => statements.map((sql) => `$$ ${sql}; $$`).join(',\n  ');
  return `LOAD CSV FROM '${csv}' (${EVENTS.join(', ')})
  INTO ${url}
  TARGET TABLE incoming.events (${EVENTS.join(', ')})
  WITH skip header = 1, fields optionally enclosed by '"', fields escaped by double-quote, fields terminated by ','
  BEFORE LOAD DO ${dollars([`CREATE TABLE incoming.events (${COLUMNS})`])}
  AFTER LOAD DO ${dollars(FROM_STAGING.filter((sql) => sql !== 'BEGIN' && sql !== 'COMMIT'))};
`;
}

const WORDS = ['early', 'late', 'gift', 'call back', 'two boxes', 'fragile', 'neighbour', 'paid twice'];

/** The same rows as CSV and as JSON Lines; one in fifty has a quote, one in five no note. */
async function generate(rows: number, csv: string, jsonl: string): Promise<void> {
  if (existsSync(csv) && existsSync(jsonl)) return;
  const files = [csv, jsonl].map((path) => createWriteStream(`${path}.part`, { highWaterMark: 1 << 20 }));
  const [csvFile, jsonlFile] = files as [(typeof files)[0], (typeof files)[0]];
  const random = generator(11);
  const pick = <T>(of: readonly T[]) => of[Math.floor(random() * of.length)] as T;
  let text = `${EVENTS.join(',')}\n`;
  let lines = '';
  for (let i = 1; i <= rows; i++) {
    const day = `2025-${two(1 + Math.floor(random() * 12))}-${two(1 + Math.floor(random() * 28))}`;
    const word = random() < 0.2 ? null : `${pick(WORDS)} ${Math.floor(random() * 1000)}`;
    const note = word !== null && i % 50 === 0 ? `said "${word}", twice` : word;
    const row = [
      String(i),
      `AB-${Math.floor(random() * 1e9)}`,
      `customer ${Math.floor(random() * 50_000)}`,
      String(Math.floor(random() * 100)),
      (random() * 1000).toFixed(2),
      pick(['open', 'sent', 'closed']),
      note,
      `${day} ${two(Math.floor(random() * 24))}:${two(Math.floor(random() * 60))}:00+00`,
      random() < 0.1 ? null : day,
      random() < 0.5 ? 't' : 'f',
    ];
    const cells = row.map((value) =>
      value === null ? '' : value.includes('"') ? `"${value.replaceAll('"', '""')}"` : value,
    );
    text += `${cells.join(',')}\n`;
    lines += `${JSON.stringify(Object.fromEntries(EVENTS.map((name, c) => [name, row[c]])))}\n`;
    if (i % 2000 === 0 || i === rows) {
      if (!csvFile.write(text)) await once(csvFile, 'drain');
      if (!jsonlFile.write(lines)) await once(jsonlFile, 'drain');
      text = '';
      lines = '';
    }
  }
  for (const file of files) {
    file.end();
    await once(file, 'finish');
  }
  for (const path of [csv, jsonl]) renameSync(`${path}.part`, path);
}

const two = (n: number) => String(n).padStart(2, '0');
