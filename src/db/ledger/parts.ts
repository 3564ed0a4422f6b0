import type { Client } from 'pg';
import type { KnownPart } from '../../core/parts.js';
import type { Database } from '../../core/run.js';
import type { StagedEnd } from './segments.js';

/** Which worker has loaded a part: its host, how long it took, and how often the part was begun. */
export interface LoadedBy {
  readonly host: string;
  readonly tookMs: number;
  readonly tries: number;
}

/** Records a part; call it inside the transaction that commits the part's rows. A part is recorded once: or it throws. */
export async function recordPart(
  client: Client,
  batch: string,
  end: StagedEnd,
  part: KnownPart,
): Promise<void> {
  await insertPart(client, batch, end, part, '', undefined);
}

/** The same where somebody else may record it: false where he has, and it is his. */
export async function recordPartOnce(
  client: Client,
  batch: string,
  end: StagedEnd,
  part: KnownPart,
  by: LoadedBy,
): Promise<boolean> {
  return (await insertPart(client, batch, end, part, ' ON CONFLICT DO NOTHING', by)) > 0;
}

async function insertPart(
  client: Client,
  batch: string,
  end: StagedEnd,
  part: KnownPart,
  otherwise: '' | ' ON CONFLICT DO NOTHING',
  by: LoadedBy | undefined,
): Promise<number> {
  const { rowCount } = await client.query(
    `INSERT INTO sluice.migration_part
       (batch_id, flow, branch, starts_at, ends_at, line, lines, table_schema, table_name, handed, rows, hash, raw, refused, account, columns, note, host, took_ms, tries)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)${otherwise}`,
    [
      batch,
      end.flow,
      end.branch,
      part.start,
      part.end,
      part.line,
      part.lines,
      end.schema,
      end.table,
      part.handed,
      part.rows,
      part.hash,
      part.raw,
      JSON.stringify(part.refused),
      JSON.stringify(part.stages),
      JSON.stringify(part.columns),
      part.note === undefined ? null : JSON.stringify(part.note),
      by?.host ?? null,
      by === undefined ? null : Math.round(by.tookMs),
      by?.tries ?? null,
    ],
  );
  return rowCount ?? 0;
}

/** The committed parts of one end, in the order of the input. */
export interface LoadedParts extends StagedEnd {
  readonly parts: readonly KnownPart[];
}

/** What of a batch's load is committed in parts, by end: of all its flows, or of one. */
export async function readParts(database: Database, batch: string, flow?: number): Promise<LoadedParts[]> {
  return database.query<LoadedParts & Record<string, unknown>>(
    `SELECT flow, branch, table_schema AS schema, table_name AS "table",
            json_agg(json_build_object('start', starts_at, 'end', ends_at, 'line', line, 'lines', lines,
              'handed', handed, 'rows', rows, 'hash', hash, 'raw', raw, 'refused', refused,
              'stages', account, 'columns', columns, 'note', note) ORDER BY starts_at) AS parts
     FROM sluice.migration_part WHERE batch_id = $1 AND ($2::integer IS NULL OR flow = $2) GROUP BY 1, 2, 3, 4 ORDER BY 1, 2`,
    [batch, flow ?? null],
  );
}
