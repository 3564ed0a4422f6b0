import type { ClientBase } from 'pg';
import { findsByKey, inserts } from '../../../src/core/publish-mode.js';
import type { RowColumn } from '../../../src/db/catalog/row-tables.js';
import { ident, literal, qualified } from '../../../src/db/quote.js';
import { raiseWhen, SQLSTATE } from './refusals.js';
import { differs, keyJson, sameKey } from './sql.js';
import { COUNTS_TABLE, IMAGE_XMIN, type RowNames, type RowTableFacts, rowObjects } from './target.js';
import { suppressorsSql } from './triggers.js';

/**
 * The statement that creates the table of a batch's numbers, where it is not there yet: what a publish did to the rows of
 * each table, counted by the server in the publishing transaction. staged = inserted + updated + unchanged + missing
 * (patch: keys that live did not have) + suppressed (by a trigger, or taken away again); a sync has deleted and
 * deletes_suppressed besides.
 */
export function countsTable(names: Pick<RowNames, 'undo'>): string {
  return `CREATE TABLE IF NOT EXISTS ${qualified(names.undo, COUNTS_TABLE)} (position integer GENERATED ALWAYS AS IDENTITY, schema_name text NOT NULL, table_name text NOT NULL, mode text NOT NULL, key_columns text[] NOT NULL, triggers_off boolean NOT NULL, staged bigint NOT NULL, fresh bigint NOT NULL, inserted bigint NOT NULL DEFAULT 0, updated bigint NOT NULL DEFAULT 0, unchanged bigint NOT NULL, missing bigint NOT NULL, suppressed bigint NOT NULL DEFAULT 0, deleted bigint NOT NULL DEFAULT 0, deletes_suppressed bigint NOT NULL DEFAULT 0, published_at timestamptz NOT NULL DEFAULT now(), undone_at timestamptz, writer xid, PRIMARY KEY (schema_name, table_name))`;
}

/**
 * Makes the table of numbers anew, and gives the tables of images what they lack, where an earlier version of Sluice
 * staged the batch. Only for a batch that is not published: all of them are empty.
 */
export async function renewUndoTables(
  client: ClientBase,
  names: Pick<RowNames, 'undo'>,
  targets: readonly RowTableFacts['target'][],
): Promise<void> {
  const name = qualified(names.undo, COUNTS_TABLE);
  const { rows } = await client.query(
    `SELECT (SELECT pg_catalog.count(*) FROM pg_catalog.pg_attribute a WHERE a.attrelid = pg_catalog.to_regclass($1) AND a.attname IN ('fresh', 'writer') AND NOT a.attisdropped) < 2 AS old`,
    [name],
  );
  if (rows[0]?.old !== true) return;
  const images = targets.flatMap((target) => {
    const { before, deleted } = rowObjects(target, { ...names, staging: '' });
    return [before, deleted];
  });
  await client.query(
    [
      `DROP TABLE IF EXISTS ${name}`,
      countsTable(names),
      ...images.map((image) => `ALTER TABLE ${image} ADD COLUMN IF NOT EXISTS ${IMAGE_XMIN} pg_catalog.xid`),
    ].join('; '),
  );
}

const which = ({ schema, table }: { readonly schema: string; readonly table: string }, alias = '') =>
  `${alias}schema_name = ${literal(schema)} AND ${alias}table_name = ${literal(table)}`;

/**
 * Counts, before any row is changed and under the lock, what staging holds: all rows, those that live does not
 * have (`fresh` is what an insert is to add; of a patch they are missing), and those that live has as they are.
 * One pass, apart from the one that saves the rows that differ: so that the three can be held against the whole.
 */
export function openCounts(facts: RowTableFacts, names: RowNames): string {
  const { live, staging, counts } = rowObjects(facts.target, names);
  const { schema, table, mode, noTriggers } = facts.target;
  const key = `ARRAY[${facts.key.map((column) => literal(column.name)).join(', ')}]::text[]`;
  const known = `${literal(schema)}, ${literal(table)}, ${literal(mode)}, ${key}, ${noTriggers === true}`;
  const into = `INSERT INTO ${counts} (schema_name, table_name, mode, key_columns, triggers_off, staged, fresh, unchanged, missing) SELECT ${known}`;
  if (!findsByKey(mode)) return `${into}, count(*), count(*), 0, 0 FROM ${staging} s`;
  // The equality of a key never holds for NULL: a NULL there is a row without a partner.
  const absent = `l.${ident((facts.key[0] as RowColumn).name)} IS NULL`;
  const equal = facts.values.length === 0 ? '' : ` AND NOT (${differs(facts.values, 'l', 's')})`;
  const fresh = `count(*) FILTER (WHERE ${absent})`;
  const unchanged = `count(*) FILTER (WHERE NOT (${absent})${equal})`;
  return `${into}, count(*), ${!inserts(mode) ? '0' : fresh}, ${unchanged}, ${!inserts(mode) ? fresh : '0'} FROM ${staging} s LEFT JOIN ${live} l ON ${sameKey(facts.key, 'l', 's')}`;
}

/**
 * Counts what the inserts and updates have written, and raises where that does not add up: where staging holds
 * another number of rows than it was handed (`handed`), where staged rows are none of inserted, updated, unchanged,
 * missing and suppressed, and, unless that is allowed, where rows were suppressed. Run after the table's writes.
 */
export function closeCounts(facts: RowTableFacts, names: RowNames, handed?: number): string[] {
  const { target } = facts;
  const { written, before, counts } = rowObjects(target, names);
  // The row itself was written in the window, as those of the table are: after a savepoint, another id than the publish's.
  const close = `UPDATE ${counts} c SET writer = c.xmin, inserted = w.added, updated = w.changed, suppressed = c.fresh + b.n - w.added - w.changed FROM (SELECT count(*) FILTER (WHERE sluice_kind = 'added') AS added, count(*) FILTER (WHERE sluice_kind = 'changed') AS changed FROM ${written}) w, (SELECT count(*) AS n FROM ${before}) b WHERE ${which(target, 'c.')}`;
  return [
    close,
    raiseWhen(SQLSTATE.unbalanced, 'the rows do not add up', imbalance(facts, counts, handed)),
    ...(target.allowSuppressed === true
      ? []
      : [
          raiseWhen(
            SQLSTATE.suppressed,
            'rows were suppressed',
            suppressed(facts, names, 'c.suppressed', keptOut(facts, names)),
          ),
        ]),
  ];
}

function imbalance({ target }: RowTableFacts, counts: string, handed: number | undefined): string {
  const terms = ['inserted', 'updated', 'unchanged', 'missing', 'suppressed'];
  const sum = terms.map((term) => `c.${term}`).join(' + ');
  const other = handed === undefined ? '' : ` OR c.staged <> ${handed}`;
  const lines = ['staged', ...terms].map((term) => `${literal(`${term}: `)} || c.${term}`);
  const all = handed === undefined ? lines : [literal(`handed over by the load: ${handed}`), ...lines];
  return `SELECT CASE WHEN c.staged <> ${sum} OR c.suppressed < 0${other} THEN json_build_object('table', ${literal(`${target.schema}.${target.table}`)}, 'count', c.staged, 'list', json_build_array(${all.join(', ')})) END FROM ${counts} c WHERE ${which(target, 'c.')}`;
}

/** Staged rows that were not written and are not in live as they are; undefined where staging has no key. */
function keptOut(facts: RowTableFacts, names: RowNames): string | undefined {
  const { key, loaded, values } = facts;
  if (key.length === 0 || !key.every((column) => loaded.includes(column))) return undefined;
  const { live, staging, written } = rowObjects(facts.target, names);
  const equal = values.length === 0 ? '' : ` AND NOT (${differs(values, 'l', 's')})`;
  const known = !inserts(facts.target.mode)
    ? ` AND EXISTS (SELECT FROM ${live} l WHERE ${sameKey(key, 'l', 's')})`
    : '';
  return `SELECT ${keyJson(key, 's')}::text AS line FROM ${staging} s WHERE NOT EXISTS (SELECT FROM ${written} w WHERE ${sameKey(key, 'w', 's')}) AND NOT EXISTS (SELECT FROM ${live} l WHERE ${sameKey(key, 'l', 's')}${equal})${known}`;
}

/** A query for raiseWhen: an Offence of `count` rows where it is more than 0, with the triggers that may be to blame. */
function suppressed(
  facts: RowTableFacts,
  names: RowNames,
  count: string,
  offenders: string | undefined,
  event: 'write' | 'delete' | 'any' = 'write',
): string {
  const { target } = facts;
  const { counts } = rowObjects(target, names);
  const list =
    offenders === undefined
      ? `'[]'::json`
      : `(SELECT coalesce(json_agg(o.line), '[]'::json) FROM (${offenders} LIMIT least(20, ${count})) o)`;
  const triggers = suppressorsSql(target, event === 'write' ? target.mode : event);
  return `SELECT CASE WHEN ${count} > 0 THEN json_build_object('table', ${literal(`${target.schema}.${target.table}`)}, 'count', ${count}, 'list', ${list}, 'triggers', (${triggers})) END FROM ${counts} c WHERE ${which(target, 'c.')}`;
}

/**
 * What follows a DELETE of the rows in the table of deleted images: raises where a trigger kept some; where that is
 * allowed, those are no deleted rows, and an undo must not take them for such. Then counts.
 */
export function countDeletes(facts: RowTableFacts, names: RowNames): string[] {
  const { target } = facts;
  const { live, deleted, counts } = rowObjects(target, names);
  const still = `${sameKey(facts.key, 'l', 'd')}`;
  const n = `(SELECT count(*) FROM ${deleted} d JOIN ${live} l ON ${still})`;
  const offenders = `SELECT ${keyJson(facts.key, 'd')}::text AS line FROM ${deleted} d JOIN ${live} l ON ${still}`;
  return [
    target.allowSuppressed === true
      ? `WITH kept AS (DELETE FROM ${deleted} d USING ${live} l WHERE ${still} RETURNING 1) UPDATE ${counts} SET deletes_suppressed = (SELECT count(*) FROM kept) WHERE ${which(target)}`
      : raiseWhen(
          SQLSTATE.deletesSuppressed,
          'deletes were suppressed',
          suppressed(facts, names, n, offenders, 'delete'),
        ),
    `UPDATE ${counts} SET deleted = (SELECT count(*) FROM ${deleted}) WHERE ${which(target)}`,
  ];
}

/**
 * What follows the taking of hashes at the end of all row changes: a row that was written and is not there has been
 * taken away again by a trigger. Raises, or where that is allowed counts it as suppressed.
 */
export function countGone(facts: RowTableFacts, names: RowNames): string {
  const { target } = facts;
  const { written, counts } = rowObjects(target, names);
  const n = `(SELECT count(*) FROM ${written} w WHERE w.sluice_hash IS NULL)`;
  if (target.allowSuppressed === true)
    return `WITH g AS (DELETE FROM ${written} WHERE sluice_hash IS NULL RETURNING sluice_kind), n AS (SELECT count(*) FILTER (WHERE sluice_kind = 'added') AS added, count(*) FILTER (WHERE sluice_kind = 'changed') AS changed FROM g) UPDATE ${counts} c SET writer = c.xmin, inserted = c.inserted - n.added, updated = c.updated - n.changed, suppressed = c.suppressed + n.added + n.changed FROM n WHERE ${which(target, 'c.')}`;
  const offenders = `SELECT ${keyJson(facts.key, 'w')}::text AS line FROM ${written} w WHERE w.sluice_hash IS NULL`;
  return raiseWhen(
    SQLSTATE.takenAway,
    'rows were taken away again',
    suppressed(facts, names, n, offenders, 'any'),
  );
}
