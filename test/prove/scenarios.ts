/** A command that is cut at each of its messages. */
export interface Scenario {
  readonly name: string;
  /** Commands that come before, undisturbed; their database is copied for every cut. */
  readonly before?: readonly (readonly string[])[];
  /** The command before is cut at this share of its messages, and breaks off. */
  readonly brokenAt?: number;
  readonly command: readonly string[];
  /** Files that it reads. */
  readonly files?: Readonly<Record<string, string>>;
}

/** `things` has what hangs on a table, `entries` has no key, so that a row that comes twice is seen. */
export const SYSTEM = `
CREATE TABLE things (id integer PRIMARY KEY, name text NOT NULL);
CREATE INDEX things_name ON things (name);
CREATE VIEW named AS SELECT name FROM things;
GRANT SELECT ON things TO PUBLIC;
CREATE TABLE entries (id integer NOT NULL, name text NOT NULL);
INSERT INTO things SELECT i, 'old ' || i FROM generate_series(1, 60) i;
INSERT INTO entries SELECT i, 'old ' || i FROM generate_series(1, 10) i`;

/** What live is: rows, and what hangs on the tables. */
export const LIVE = `
SELECT 'thing ' || id || ' ' || name AS line FROM things UNION ALL SELECT 'entry ' || id || ' ' || name FROM entries
UNION ALL SELECT 'view ' || count(*) FROM named
UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'grant ' || relname || ' ' || relacl::text FROM pg_class
  WHERE relnamespace = 'public'::regnamespace AND relacl IS NOT NULL
ORDER BY 1`;

const csv = (from: number, to: number, name = 'new') =>
  `id,name\n${Array.from({ length: to - from + 1 }, (_, i) => `${from + i},${name} ${from + i}\n`).join('')}`;

/** Of some parts: the smallest one has 64 KB. */
const LARGE = csv(1, 2_500, 'x'.repeat(60));

const copy = (into: string, mode: string, ...more: string[]) => [
  'copy',
  'in.csv',
  '--into',
  into,
  '--mode',
  mode,
  '--max-shrink',
  '100%',
  '--yes',
  ...more,
];
const small = { files: { 'in.csv': csv(31, 90) } };

export const SCENARIOS: readonly Scenario[] = [
  { name: 'copy, replace', command: copy('things', 'replace'), ...small },
  { name: 'copy, append', command: copy('entries', 'append'), ...small },
  { name: 'copy, merge', command: copy('things', 'merge'), ...small },
  { name: 'copy, patch', command: copy('things', 'patch'), files: { 'in.csv': csv(31, 60) } },
  { name: 'copy, sync', command: copy('things', 'sync'), ...small },
  {
    name: 'copy in parts, two sessions',
    command: copy('entries', 'append', '--jobs', '2'),
    files: { 'in.csv': LARGE },
  },
  { name: 'rehearsal', command: copy('things', 'replace', '--rehearse'), ...small },
  {
    name: 'swap',
    before: [copy('things', 'replace', '--no-swap')],
    command: ['swap', '1', '--max-shrink', '100%', '--yes'],
    ...small,
  },
  {
    name: 'resume',
    before: [copy('entries', 'append', '--jobs', '1')],
    brokenAt: 0.7,
    command: copy('entries', 'append', '--jobs', '1', '--resume', '1'),
    files: { 'in.csv': LARGE },
  },
  {
    name: 'rollback of a replace',
    before: [copy('things', 'replace')],
    command: ['rollback', '1', '--yes'],
    ...small,
  },
  {
    name: 'rollback of a merge',
    before: [copy('things', 'merge')],
    command: ['rollback', '1', '--yes'],
    ...small,
  },
  {
    name: 'resubmitted rejects',
    before: [copy('entries', 'append', '--max-rejects', '1')],
    command: ['copy', 'fixed.csv', '--into', 'entries', '--only-rejects-of', '1', '--yes'],
    files: { 'in.csv': `${csv(31, 40)}x,bad\n`, 'fixed.csv': 'id,name,sluice_reject\n41,good,1\n' },
  },
  {
    name: 'cleanup',
    before: [copy('things', 'replace')],
    command: ['cleanup', '--older-than', '0d', '--execute'],
    ...small,
  },
];
