import type { Around } from '../../core/input-bytes.js';
import type { Source } from '../../core/types.js';
import { askUntil } from '../../db/ask-until.js';
import { takesItsRowsAgain } from '../../db/catalog/text-table.js';
import { type LivePublish, type MadeOf, publishOfLive } from '../../db/ledger/published.js';
import { literal, qualified } from '../../db/quote.js';
import { bytesOfSource } from '../../sources/bytes/open.js';
import type { LiveTable } from '../given/tables.js';
import { ContentReading } from '../inputs/file-content.js';
import type { Job } from '../job/job.js';
import { writersOf } from '../rollback/written-since.js';
import { decidingFiles, madeOf } from './copied-files.js';

/** How long a look at live may take, at least. */
export const PATIENCE_MS = 5_000;

/** A tenth of what a load of so many seconds took, in milliseconds: what looking may cost beside it. */
export const tenthMs = (seconds: number): number => seconds * 100;

/**
 * The batch that has published what this run would, where live is just as that left it: then there is nothing to load.
 * Undefined wherever that is not certain. What is quick to tell is asked first; no part of it takes longer than a tenth of
 * what the load took then.
 */
export async function publishedAlready(job: Job): Promise<string | undefined> {
  const { database, always } = job.options;
  const files = decidingFiles(job);
  const [table] = job.tables;
  if (always === true || files === undefined || table === undefined) return undefined;
  const published = await publishOfLive(database, table);
  const before = published?.facts.made_of as MadeOf | undefined;
  if (published === undefined || before === undefined) return undefined;
  const sources = [...files.values()];
  if (!(await haveSizes(sources, before.sizes, job))) return undefined;
  if (!(await takesItsRowsAgain(database, table.oid))) return undefined;
  const until = performance.now() + Math.max(PATIENCE_MS, tenthMs(published.loadSeconds));
  // Here and on the server at the same time.
  const reading = new AbortController();
  const signal = AbortSignal.any([job.signal, reading.signal]);
  const readings = sources.map((source) => new ContentReading(source, { signal, share: job.share }));
  try {
    if (!(await isAsPublished(job, table, published, until))) return undefined;
    const contents = await Promise.all(readings.map((each) => each.content()));
    job.signal.throwIfAborted();
    const now = await madeOf(job, table.oid, contents);
    return now?.hash === before.hash ? published.batch : undefined;
  } finally {
    reading.abort();
  }
}

async function haveSizes(
  sources: readonly Source[],
  sizes: readonly number[],
  around: Around,
): Promise<boolean> {
  if (sources.length !== sizes.length) return false;
  const found = await Promise.all(
    sources.map((source) => bytesOfSource(source, around).catch(() => undefined)),
  );
  return found.every((each, at) => each?.size === sizes[at]);
}

/** So many transactions after a publish the numbers of its writers may come again, as xmin has them. */
const NUMBERS = 2 ** 31;

/**
 * Whether the table has the rows that were published and no others: each was written by a transaction of the load, and
 * they are as many. Who inserts or updates a row writes it anew; who deletes or truncates leaves fewer.
 */
async function isAsPublished(
  job: Job,
  { schema, table }: LiveTable,
  published: LivePublish,
  until: number,
): Promise<boolean> {
  const writers = writersOf({ mode: 'replace', facts: published.facts });
  const { transactionsSince: since } = published;
  if (writers === undefined || since === null || since <= 0 || since >= NUMBERS) return false;
  const ours = `${literal(`{${writers.join(',')}}`)}::pg_catalog.xid[]`;
  const found = await askUntil<{ rows: number; ours: number }>(
    job.options.database,
    until,
    `SELECT pg_catalog.count(*)::float8 AS rows, (pg_catalog.count(*) FILTER (WHERE t.xmin = ANY (${ours})))::float8 AS ours FROM ONLY ${qualified(schema, table)} t`,
  );
  return found?.rows === published.rows && found.ours === published.rows;
}
