import type { ClientBase } from 'pg';
import { stagingErrors } from '../../../src/core/errors/catalogue/staging.js';
import { readRowConstraints } from '../../../src/db/catalog/row-constraints.js';
import { readRowTable } from '../../../src/db/catalog/row-tables.js';
import { tableOid } from '../../../src/db/catalog/table.js';
import { closeSchemas } from '../../../src/db/close.js';
import { ident, idents, literal, qualified, value } from '../../../src/db/quote.js';
import { ORIGIN_COLUMNS } from '../../load/encode/ordinal.js';
import { imageHash } from '../rows/sql.js';
import type { RowTableFacts } from '../rows/target.js';
import { refusedTable } from './refused.js';
import type { Subject } from './subject.js';

/** A table that is to be replaced, in staging; quoted where it is not a name by itself. */
export interface ReplacedPlace {
  /** Its place in the batch, from 1. */
  readonly at: number;
  readonly live: { readonly schema: string; readonly table: string };
  readonly staged: { readonly schema: string; readonly table: string };
}

/** The copy of a replaced table's loaded rows that also says where they came from: staging becomes live, and may not. */
export const copyName = ({ at }: Pick<ReplacedPlace, 'at'>): string => `sluice_rows_${at}`;

/**
 * What of a replaced table its loaded rows may break. CHECKs and NOT NULL are not among it: staging has them from the
 * start, so that COPY has asked. Undefined where live is gone.
 */
export async function replacedFacts(
  client: ClientBase,
  { schema, table }: ReplacedPlace['live'],
  columns: readonly string[],
): Promise<RowTableFacts | undefined> {
  const live = await readRowTable(client, schema, table);
  if (live === undefined) return undefined;
  const loaded = live.columns.filter(({ name }) => columns.includes(name));
  return {
    target: { schema, table, mode: 'append', columns },
    live,
    key: [],
    keyEnforced: false,
    loaded,
    values: loaded,
    image: live.columns.filter(({ generated }) => !generated),
    constraints: { ...(await readRowConstraints(client, live.oid)), checks: [] },
    numbered: true,
    inOrder: false,
  };
}

/**
 * Makes the copy, empty: with staging's CHECKs, so that it refuses what staging has refused, and without what numbers
 * rows, since nothing of it stays.
 */
export async function makeCopy(client: ClientBase, place: ReplacedPlace): Promise<void> {
  const { staged, live } = place;
  const copy = qualified(staged.schema, copyName(place));
  const columns = (await readRowTable(client, staged.schema, staged.table))?.columns ?? [];
  const oid = await tableOid(client, live.schema, live.table);
  const fills = oid === undefined ? [] : (await readRowConstraints(client, oid)).fills;
  const numbers = fills.filter(({ numbers: counts, generated }) => counts && !generated);
  const changes = columns
    .filter(({ generated, notNull, filled }) => !generated && notNull && filled)
    .map(({ name }) => `ALTER COLUMN ${ident(name)} DROP NOT NULL`);
  const { row, line } = ORIGIN_COLUMNS;
  await client.query(
    [
      `DROP TABLE IF EXISTS ${copy}`,
      `CREATE TABLE ${copy} (LIKE ${qualified(staged.schema, staged.table)} INCLUDING CONSTRAINTS INCLUDING DEFAULTS INCLUDING GENERATED, ${row} bigint, ${line} bigint)`,
      ...[...changes, ...numbers.map(({ column }) => `ALTER COLUMN ${ident(column)} DROP DEFAULT`)].map(
        (change) => `ALTER TABLE ${copy} ${change}`,
      ),
      closeSchemas([staged.schema], ['relations']),
    ].join('; '),
  );
}

/** Fills the copy out of staging, where the input cannot be read once more: numbered from behind `before` on, without lines. */
export function copyStagedSql(place: ReplacedPlace, columns: readonly string[], before: number): string[] {
  const { staged } = place;
  const copy = qualified(staged.schema, copyName(place));
  const { row } = ORIGIN_COLUMNS;
  return [
    `TRUNCATE ${copy}`,
    `INSERT INTO ${copy} (${idents(columns)}, ${row}) SELECT ${columns.map((name) => `s.${ident(name)}`).join(', ')}, ${value(before)} + pg_catalog.row_number() OVER (ORDER BY s.ctid) FROM ONLY ${qualified(staged.schema, staged.table)} s`,
  ];
}

const KEYS = `
SELECT n.nspname AS schema, c.relname AS "table", k.conname AS name
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.confrelid = pg_catalog.to_regclass($1) ORDER BY 1, 2, 3`;

/**
 * Takes the rows that are refused from the copy out of staging as well, in the transaction that `client` is in. Foreign
 * keys towards staging go before: they would take other rows along, or stand in the way; they are made again when
 * staging is made ready. Throws failed `rows_not_found` where staging has other rows than the copy.
 */
export async function takeOut(
  client: ClientBase,
  subject: Subject,
  place: ReplacedPlace,
  staging: string,
): Promise<void> {
  const staged = qualified(place.staged.schema, place.staged.table);
  const refused = refusedTable(staging);
  const { rows: counted } = await client.query<{ n: number }>(
    `SELECT count(*)::float8 AS n FROM ${refused} WHERE at = $1 AND NOT told`,
    [place.at],
  );
  const expected = counted[0]?.n ?? 0;
  if (expected === 0) return;
  const { rows: keys } = await client.query<{ schema: string; table: string; name: string }>(KEYS, [staged]);
  for (const key of keys)
    await client.query(`ALTER TABLE ${qualified(key.schema, key.table)} DROP CONSTRAINT ${ident(key.name)}`);
  const { rowCount } = await client.query(takeOutSql(subject, staged, refused));
  if (rowCount === expected) return;
  throw stagingErrors.rows_not_found({
    table: `${place.live.schema}.${place.live.table}`,
    breaking: expected,
    found: rowCount ?? 0,
  });
}

/** The statement that deletes from `staged` as many rows of each kind as are refused and not yet told of. Pure. */
function takeOutSql({ at, facts }: Subject, staged: string, refused: string): string {
  const made = facts.loaded.map(
    ({ name, type, sendable }) => `(r.loaded->>${literal(name)})::${type}${sendable ? '' : '::text'}`,
  );
  const gone = `SELECT pg_catalog.sha256(pg_catalog.record_send(ROW(${made.join(', ')}))) AS hash, count(*) AS n FROM ${refused} r WHERE r.at = ${value(at)} AND NOT r.told GROUP BY 1`;
  const here = `SELECT h.place, h.hash, row_number() OVER (PARTITION BY h.hash) AS k FROM (SELECT s.ctid AS place, ${imageHash(facts.loaded, 's')} AS hash FROM ONLY ${staged} s) h WHERE h.hash IN (SELECT gone.hash FROM gone)`;
  return `WITH gone AS MATERIALIZED (${gone}), here AS (${here}) DELETE FROM ONLY ${staged} s USING here JOIN gone ON gone.hash OPERATOR(pg_catalog.=) here.hash WHERE s.ctid OPERATOR(pg_catalog.=) here.place AND here.k <= gone.n`;
}
