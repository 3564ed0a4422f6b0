import type { ClientBase } from 'pg';
import { literal } from '../../../src/db/quote.js';
import { countsTable } from './counts.js';
import { columnsOf, imageHash, namesOf, sameKey } from './sql.js';
import { IMAGE_XMIN, type RowNames, type RowTableFacts, rowObjects } from './target.js';

/**
 * The statements that create what undo needs: images of rows as they were before they were changed
 * (`…__before`) and before they were deleted (`…__deleted`), key and hash of every row as it was published
 * (`…__written`), and the numbers of the publish. Created before the window and empty until it commits, so
 * that the window holds its locks for row changes alone.
 */
export function beforeImageTables(facts: RowTableFacts, names: RowNames): string[] {
  const { live, before, deleted, written } = rowObjects(facts.target, names);
  const image = `SELECT ${namesOf(facts.image)}, NULL::pg_catalog.xid AS ${IMAGE_XMIN} FROM ${live} WITH NO DATA`;
  const key = facts.key.length === 0 ? '' : `${namesOf(facts.key)}, `;
  return [
    `CREATE TABLE ${before} AS ${image}`,
    `CREATE TABLE ${deleted} AS ${image}`,
    `CREATE TABLE ${written} AS SELECT ${key}NULL::text AS sluice_kind, NULL::bytea AS sluice_hash FROM ${live} WITH NO DATA`,
    // Under a publication FOR ALL TABLES rows without an identity can be neither updated nor deleted.
    ...[deleted, written].map((table) => `ALTER TABLE ${table} REPLICA IDENTITY FULL`),
    countsTable(names),
  ];
}

/** The columns of a table of images, each with its type as SQL writes it; none where there is no such table. */
export async function imageColumns(client: ClientBase, image: string): Promise<Map<string, string>> {
  const { rows } = await client.query<{ name: string; type: string }>(
    `SELECT a.attname AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = pg_catalog.to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [image],
  );
  return new Map(rows.map(({ name, type }) => [name, type]));
}

/**
 * When a row's hash is taken: as it is written, which costs nothing extra, or at the end, because triggers of
 * any table of the batch may change a row once more (a counter in the parent, say).
 */
export type Hashing = 'at once' | 'at the end';

/** Saves the images of the live rows that satisfy `condition` (over `l`, live, and `s`, staging). */
export function saveBefore(facts: RowTableFacts, names: RowNames, condition: string): string {
  const { live, staging, before } = rowObjects(facts.target, names);
  return `INSERT INTO ${before} (${namesOf(facts.image)}, ${IMAGE_XMIN}) SELECT ${columnsOf('l', facts.image)}, l.xmin FROM ${live} l JOIN ${staging} s ON ${sameKey(facts.key, 'l', 's')} WHERE ${condition}`;
}

/** Makes a write wait for the one that stands before it in its statement as `w`: it counts what that has written. */
export const AFTER_FIRST = '(SELECT pg_catalog.count(*) FROM w) OPERATOR(pg_catalog.>=) 0';

/**
 * The INSERT and the UPDATE of live under the alias `l`, together with the key of every row that they
 * wrote, and the row's hash where nothing can change the row afterwards. RETURNING sees what defaults and
 * BEFORE triggers made of the row, and leaves out rows that a trigger suppressed. Both may be one statement, whose
 * INSERT then has the condition AFTER_FIRST.
 */
export function noteWritten(
  facts: RowTableFacts,
  names: RowNames,
  { added, changed }: { readonly added?: string; readonly changed?: string },
  hashing: Hashing,
): string {
  const { written } = rowObjects(facts.target, names);
  const key = facts.key.length === 0 ? '' : `${columnsOf('l', facts.key)}, `;
  const target = facts.key.length === 0 ? '' : `${namesOf(facts.key)}, `;
  const atOnce = facts.key.length === 0 || hashing === 'at once';
  const hash = atOnce ? imageHash(facts.image, 'l') : 'NULL::pg_catalog.bytea';
  const noted = (write: string, kind: 'added' | 'changed') =>
    `(${write} RETURNING ${key}${literal(kind)}, ${hash})`;
  const into = `INSERT INTO ${written} (${target}sluice_kind, sluice_hash) SELECT * FROM`;
  if (added !== undefined && changed !== undefined)
    return `WITH w AS ${noted(changed, 'changed')}, a AS ${noted(added, 'added')} ${into} w UNION ALL SELECT * FROM a`;
  return added === undefined
    ? `WITH w AS ${noted(changed as string, 'changed')} ${into} w`
    : `WITH w AS ${noted(added, 'added')} ${into} w`;
}

/** Takes the hashes after the row changes of all tables; nothing to do for rows without a key. */
export function hashWritten(facts: RowTableFacts, names: RowNames): string | undefined {
  if (facts.key.length === 0) return undefined;
  const { live, written } = rowObjects(facts.target, names);
  return `UPDATE ${written} w SET sluice_hash = ${imageHash(facts.image, 'l')} FROM ${live} l WHERE ${sameKey(facts.key, 'l', 'w')}`;
}

/** Saves the images of the live rows (`l`) that satisfy `condition` and are to be deleted. */
export function saveDeleted(facts: RowTableFacts, names: RowNames, condition: string): string {
  const { live, deleted } = rowObjects(facts.target, names);
  return `INSERT INTO ${deleted} (${namesOf(facts.image)}, ${IMAGE_XMIN}) SELECT ${columnsOf('l', facts.image)}, l.xmin FROM ${live} l WHERE ${condition}`;
}
