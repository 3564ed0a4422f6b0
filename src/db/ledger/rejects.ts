import type { Client } from 'pg';
import { parseJson } from '../../core/json/parse.js';
import { jsonText } from '../../core/json/write.js';
import type { Database } from '../../core/run.js';
import type { StoredReject } from '../../core/stored-reject.js';
import { ledgerVersion } from './open.js';
import { PENDING } from './reject-fates.js';
import { AS_IT_WAS, restoredRecord, storableRecord, storableText, storableValue } from './storable.js';

/** Rejects fetched together. */
const PAGE = 2_000;

const FIELDS = `number bigint, input text, line bigint, byte_offset bigint, record_type text, source_id text,
  stage text, reason text, column_name text, value text, expected text, sqlstate text,
  constraint_name text, message text, raw json, stage_row json`;

const NAMES = FIELDS.replaceAll(/ (bigint|text|json)(?=,|$)/g, '');

/** How a column is read where not as it is; the driver's own JSON.parse would change numbers. */
const READ_AS: Readonly<Record<string, string>> = {
  number: '::float8',
  line: '::float8',
  byte_offset: '::float8',
  raw: '::text',
  stage_row: '::text',
};

/** Stores rejects of a batch in one statement; those that are stored already are left as they are. */
export async function storeRejects(
  client: Pick<Client, 'query'>,
  batch: string,
  rejects: readonly StoredReject[],
): Promise<void> {
  if (rejects.length === 0) return;
  await client.query(
    `INSERT INTO sluice.migration_reject (batch_id, ${NAMES})
     SELECT $1, ${NAMES} FROM json_to_recordset($2::json) AS r(${FIELDS})
     ON CONFLICT (batch_id, number) DO NOTHING`,
    [batch, jsonText(rejects.map(storable))],
  );
}

function storable(reject: StoredReject): StoredReject {
  const { raw, stage_row } = reject;
  return {
    ...reject,
    raw: typeof raw === 'string' ? storableText(raw) : raw === null ? null : storableRecord(raw),
    stage_row: storableValue(stage_row) as StoredReject['stage_row'],
  };
}

/** Lines of an input that are not read again: from one up to before the other (1-based). */
export interface StandingLines {
  readonly input: string;
  readonly from: number;
  readonly to: number;
}

/** Which rejects of a batch, `r`, are of rows that are not read again: $2 says of which lines. */
const STANDS = `EXISTS (SELECT FROM json_to_recordset($2::json) AS k(input text, "from" bigint, "to" bigint)
       WHERE k.input = r.input AND r.line >= k."from" AND r.line < k."to")`;

/** How many rejects of a batch are of such `lines`, by input. */
export async function standingRejects(
  database: Database,
  batch: string,
  lines: readonly StandingLines[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await database.query<{ input: string; rows: number }>(
    `SELECT r.input, count(*)::float8 AS rows FROM sluice.migration_reject r
     WHERE r.batch_id = $1 AND ${STANDS} GROUP BY r.input`,
    [batch, JSON.stringify(lines)],
  );
  return new Map(rows.map((row) => [row.input, row.rows]));
}

/** Forgets the rejects of a batch whose rows are about to be read again: all but those of `lines`. */
export async function forgetRejects(
  database: Database,
  batch: string,
  lines: readonly StandingLines[],
): Promise<void> {
  await database.query(`DELETE FROM sluice.migration_reject r WHERE r.batch_id = $1 AND NOT ${STANDS}`, [
    batch,
    JSON.stringify(lines),
  ]);
}

/** Forgets the rejects of a batch after the first `rows`. */
export async function forgetRejectsBehind(database: Database, batch: string, rows: number): Promise<void> {
  await database.query(
    `DELETE FROM sluice.migration_reject WHERE batch_id = $1 AND number >
       (SELECT coalesce(max(k.number), 0) FROM (SELECT number FROM sluice.migration_reject WHERE batch_id = $1 ORDER BY number LIMIT $2) k)`,
    [batch, rows],
  );
}

/**
 * The rejects of a batch in the order they were met, by pages of `limit` after the number `after`; where only `pending`
 * ones are wanted, without those whose corrected rows are published or on the way.
 */
export async function readRejects(
  database: Database,
  batch: string,
  after: number,
  limit: number,
  pending = false,
): Promise<StoredReject[]> {
  const rows = await database.query<StoredReject & Record<string, unknown>>(
    `WITH page AS (
       SELECT * FROM sluice.migration_reject r
       WHERE batch_id = $1 AND number > $2${pending ? ` AND ${PENDING}` : ''} ORDER BY number LIMIT $3
     ), before AS (
       SELECT DISTINCT ON (o.input, o.line) o.batch_id, o.input, o.line, o.number
       FROM sluice.migration_reject o JOIN sluice.migration_batch b ON b.only_rejects_of = o.batch_id
       WHERE b.id = $1 AND o.corrected_by = $1 AND o.line IS NOT NULL ORDER BY o.input, o.line, o.number
     )
     SELECT ${NAMES.split(',')
       .map((name) => `page.${name.trim()}${READ_AS[name.trim()] ?? ''}`)
       .join(', ')},
       CASE WHEN before.number IS NOT NULL
         THEN json_build_object('batch', before.batch_id::text, 'number', before.number) END AS resubmits
     FROM page LEFT JOIN before USING (input, line) ORDER BY page.number`,
    [batch, after, limit],
  );
  return rows.map(
    (row) => ({ ...row, raw: rawOf(row.raw), stage_row: parsed(row.stage_row) }) as StoredReject,
  );
}

function rawOf(json: unknown): StoredReject['raw'] {
  const raw = parsed(json) as StoredReject['raw'];
  return typeof raw === 'object' && raw !== null ? restoredRecord(raw) : raw;
}

const parsed = (json: unknown): unknown => (json === null ? null : parseJson(json as string));

/** All rejects of a batch, or all that are `pending`, in the order they were met, by pages. */
export async function* rejectPages(
  database: Database,
  batch: string,
  pending = false,
): AsyncGenerator<StoredReject[], void> {
  for (let after = 0; ; ) {
    const page = await readRejects(database, batch, after, PAGE, pending);
    if (page.length > 0) yield page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last.number;
  }
}

/** How many rejects of each reason and column a batch stored, most first; of all its inputs, or of those given. */
export async function countRejects(
  database: Database,
  batch: string,
  inputs?: readonly string[],
): Promise<{ readonly reason: string; readonly column_name: string | null; readonly rows: number }[]> {
  return database.query(
    `SELECT reason, column_name, count(*)::float8 AS rows FROM sluice.migration_reject
     WHERE batch_id = $1 AND ($2::text[] IS NULL OR input = ANY ($2))
     GROUP BY reason, column_name ORDER BY count(*) DESC, reason, column_name`,
    [batch, inputs ?? null],
  );
}

/** The inputs that rejects of a batch came from, by name. */
export async function rejectInputs(database: Database, batch: string): Promise<string[]> {
  const rows = await database.query<{ input: string }>(
    'SELECT DISTINCT input FROM sluice.migration_reject WHERE batch_id = $1 ORDER BY input',
    [batch],
  );
  return rows.map((row) => row.input);
}

/** The columns of the records that a batch rejected of one input, in the order in which they first come. */
export async function rejectColumns(database: Database, batch: string, input: string): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    `SELECT k.name FROM sluice.migration_reject r, json_object_keys(r.raw) WITH ORDINALITY AS k(name, at)
     WHERE r.batch_id = $1 AND r.input = $2 AND json_typeof(r.raw) = 'object' AND k.name <> $3
     GROUP BY k.name ORDER BY min(k.at), min(r.number)`,
    [batch, input, AS_IT_WAS],
  );
  return rows.map((row) => row.name);
}

/** What the ledger keeps of a rejected record. */
export type RejectRecord = Pick<StoredReject, 'number' | 'raw' | 'column_name'>;

/** The records of some rejects of a batch, by their numbers. */
export async function readRecords(
  database: Database,
  batch: string,
  numbers: readonly number[],
): Promise<ReadonlyMap<number, RejectRecord>> {
  const rows = await database.query<RejectRecord & Record<string, unknown>>(
    `SELECT number::float8, raw::text, column_name FROM sluice.migration_reject
     WHERE batch_id = $1 AND number = ANY ($2::bigint[])`,
    [batch, numbers],
  );
  return new Map(rows.map((row) => [row.number, { ...row, raw: rawOf(row.raw) }]));
}

/** The latest batch of a pipeline that has a reject of that number, of that line; undefined where there is none. */
export async function batchOfReject(
  database: Database,
  pipeline: string,
  number: number,
  line: number | null,
): Promise<string | undefined> {
  if ((await ledgerVersion(database)) === 0) return undefined;
  const [found] = await database.query<{ id: string }>(
    `SELECT b.id::text FROM sluice.migration_batch b JOIN sluice.migration_reject r ON r.batch_id = b.id
     WHERE b.pipeline = $1 AND r.number = $2 AND r.line IS NOT DISTINCT FROM $3::bigint ORDER BY b.id DESC LIMIT 1`,
    [pipeline, number, line],
  );
  return found?.id;
}

/** Where rejects of a batch that are still to be corrected were met: inputs and stages, those of which most rows came first. */
export async function rejectPlaces(
  database: Database,
  batch: string,
): Promise<{ readonly input: string; readonly stage: string }[]> {
  return database.query(
    `SELECT input, stage FROM sluice.migration_reject r WHERE batch_id = $1 AND ${PENDING}
     GROUP BY input, stage ORDER BY count(*) DESC, input, stage`,
    [batch],
  );
}
