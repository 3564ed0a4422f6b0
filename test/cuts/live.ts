import type { Row } from '../../src/core/row.js';
import { append, merge, patch, replace, sync, type Target } from '../../src/core/target.js';

/** What stands in the tables, one text a row, sorted: `things` has a key, `entries` has none, so a doubled row shows. */
export interface Live {
  readonly things: readonly string[];
  readonly entries: readonly string[];
}

export const SYSTEM = `
CREATE TABLE things (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE entries (id int NOT NULL, name text NOT NULL);
INSERT INTO things SELECT i, 'old ' || i FROM generate_series(1, 50) i`;

/** What a run does: a mode, its target, and what it makes of live. */
export interface Work {
  readonly mode: 'replace' | 'append' | 'merge' | 'patch' | 'sync';
  readonly target: Target;
  after(live: Live, rows: readonly Row[]): Live;
}

const COLUMNS = { columns: ['id', 'name'] as const };
const KEY = { ...COLUMNS, key: ['id'] as const };

const asText = (rows: readonly Row[]) => rows.map((row) => `${row.id} ${row.name}`);
const sorted = (rows: Iterable<string>) => [...rows].sort();
const idOf = (row: string) => row.slice(0, row.indexOf(' '));
const byId = (rows: readonly string[]) => new Map(rows.map((row) => [idOf(row), row]));

export const WORKS: readonly Work[] = [
  {
    mode: 'replace',
    target: replace('things', COLUMNS),
    after: (live, rows) => ({ ...live, things: sorted(asText(rows)) }),
  },
  {
    mode: 'append',
    target: append('entries', COLUMNS),
    after: (live, rows) => ({ ...live, entries: sorted([...live.entries, ...asText(rows)]) }),
  },
  {
    mode: 'merge',
    target: merge('things', KEY),
    after: (live, rows) => ({
      ...live,
      things: sorted(new Map([...byId(live.things), ...byId(asText(rows))]).values()),
    }),
  },
  {
    mode: 'patch',
    target: patch('things', KEY),
    after: (live, rows) => ({
      ...live,
      things: sorted(new Map([...byId(live.things), ...byId(asText(rows))]).values()),
    }),
  },
  {
    mode: 'sync',
    target: sync('things', KEY),
    after: (live, rows) => ({ ...live, things: sorted(asText(rows)) }),
  },
];

type Ask = <T extends object>(sql: string) => Promise<T[]>;

/** What stands in the tables now. */
export async function readLive(query: Ask): Promise<Live> {
  const read = async (table: string) =>
    sorted(
      (await query<{ row: string }>(`SELECT id || ' ' || name AS row FROM ${table}`)).map(({ row }) => row),
    );
  return { things: await read('public.things'), entries: await read('public.entries') };
}

export const isSame = (a: Live, b: Live) => JSON.stringify(a) === JSON.stringify(b);

/** The difference in a few words. */
export function differenceOf(a: Live, b: Live): string {
  const of = (name: keyof Live) => {
    const left = new Set(a[name]);
    const right = new Set(b[name]);
    const lost = [...left].filter((row) => !right.has(row)).length;
    const more = [...right].filter((row) => !left.has(row)).length;
    return `${name}: ${a[name].length} rows wanted, ${b[name].length} there, ${lost} lost, ${more} not wanted`;
  };
  return `${of('things')}; ${of('entries')}`;
}
