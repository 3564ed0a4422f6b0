import { keyTable, publishedRecordsSql } from '../../../db/ledger/records.js';
import { ident, literal, qualified } from '../../../db/quote.js';

/** A column of a record's key, as both its table and the record have it. */
interface KeyColumn {
  readonly name: string;
  /** The type as SQL writes it. */
  readonly type: string;
  /** `OPERATOR(schema.=)` */
  readonly equality: string;
}

/** How the records of one input are settled by a publish. */
export interface SettledKind {
  /** Tells its work table from others, from 1. */
  readonly at: number;
  readonly batch: string;
  /** The batch's staging schema. */
  readonly staging: string;
  readonly input: string;
  readonly table: { readonly schema: string; readonly table: string };
  /** `schema.table` of live, as records have it. */
  readonly model: string;
  /** Quoted and qualified. */
  readonly live: string;
  /** The staging table, where it has the ids that live will have (replace). */
  readonly staged: string | undefined;
  /** The tables in which the publish notes what it has written, and how many rows it left (merge, patch; see suppressing). */
  readonly written: string | undefined;
  readonly counts: string;
  /** Rows that triggers suppress are left out: of an append, too, some may not be written. */
  readonly suppressing: boolean;
  readonly key: readonly KeyColumn[];
  /** Records may not show their keys: they are in a table of their own. */
  readonly hidden: boolean;
  readonly targetId: string | undefined;
  /** The record's own value of `targetId` is the id. */
  readonly idLoaded: boolean;
}

/**
 * Whether a kind's records have to be found one by one, by key and in a work table: for ids that only live or staging
 * knows, or by keys that records do not show.
 */
export function needsNumbers({ written, targetId, idLoaded, key, hidden }: SettledKind): boolean {
  if (key.length === 0) return false;
  return targetId === undefined
    ? hidden && written !== undefined
    : !idLoaded || (hidden && written !== undefined);
}

/** The work table of a kind: number, id where it is known beforehand, and key of every record that a table took. */
function numbersTable({ staging, at }: Pick<SettledKind, 'staging' | 'at'>): string {
  return qualified(staging, `sluice_record_${at}`);
}

/**
 * Makes a kind's work table, before the publish and outside its locks: keys out of the records' text, typed as the
 * table has them.
 */
export function numbersSql(kind: SettledKind): string[] {
  const { staging, staged, key, hidden, targetId, idLoaded } = kind;
  const name = numbersTable(kind);
  const typed = key.map((column, i) => (hidden ? cast(`k.key->>${i}`, column.type) : shown(column)));
  const only = key.length === 1 && key[0]?.name === targetId;
  const id =
    targetId === undefined
      ? 'NULL::bigint'
      : only
        ? `${typed[0]}::bigint`
        : idLoaded
          ? shown({ name: targetId, type: 'bigint' })
          : staged !== undefined
            ? `s.${ident(targetId)}::bigint`
            : 'NULL::bigint';
  const keys = hidden ? ` LEFT JOIN ${keyTable(staging)} k ON k.input = r.input AND k.line = r.line` : '';
  const join =
    staged === undefined || targetId === undefined || only || idLoaded
      ? ''
      : ` LEFT JOIN ${staged} s ON ${key.map(({ name: column, equality }, i) => `s.${ident(column)} ${equality} ${typed[i]}`).join(' AND ')}`;
  const columns = typed.map((expression, i) => `, ${expression} AS k${i + 1}`).join('');
  return [
    `DROP TABLE IF EXISTS ${name}`,
    `CREATE TABLE ${name} AS SELECT r.number, ${id} AS target_id${columns} FROM sluice.migration_record_row r${keys}${join} WHERE ${waiting(kind)}`,
    `ANALYZE ${name}`,
  ];
}

/**
 * The statement, once a load is complete, that gives records the ids that their rows were loaded with, where they could
 * not be told from the row: a text that is a number to the table only, or a row that was known late.
 */
export function idsSql(kind: Pick<SettledKind, 'batch' | 'input' | 'model'>, targetId: string): string {
  return `UPDATE sluice.migration_record_row r SET target_id = ${shown({ name: targetId, type: 'bigint' })} WHERE ${waiting(kind)} AND r.target_id IS NULL`;
}

/**
 * The statements of the publishing transaction that settle a kind's records: success with the id in live, or skipped
 * where the publish changed nothing for them. Run after the row changes, under any search_path.
 */
export function settleSql(kind: SettledKind): string[] {
  const published = publishedRecordsSql(kind.batch, kind.model);
  if (needsNumbers(kind)) return [settleNumbersSql(kind), published];
  if (kind.written === undefined || kind.key.length === 0) return [published];
  return [
    // Next to nothing is known of how many rows these are, and in a nested loop that may take hours.
    'SET LOCAL enable_nestloop = off',
    leftSql(kind),
    'SET LOCAL enable_nestloop TO DEFAULT',
    published,
  ];
}

/** Records whose rows the publish left as they were; looked for where there are some. */
function leftSql(kind: SettledKind): string {
  const { written, key } = kind;
  const some = `EXISTS (SELECT FROM ${countsOf(kind)} AND unchanged + missing + suppressed > 0)`;
  const on = key.map((each) => `w.${ident(each.name)} ${each.equality} ${shown(each)}`).join(' AND ');
  return `UPDATE sluice.migration_record_row r SET status = 'skipped', error_message = ${leftReason(kind)} WHERE ${some} AND ${waiting(kind)} AND NOT EXISTS (SELECT FROM ${written} w WHERE ${on})`;
}

const countsOf = ({ counts, table }: Pick<SettledKind, 'counts' | 'table'>) =>
  `${counts} WHERE schema_name = ${literal(table.schema)} AND table_name = ${literal(table.table)}`;

/** Why a row was left that nobody has written: which of them a trigger suppressed, the counts do not say. */
function leftReason(kind: SettledKind): string {
  if (!kind.suppressing) return "'unchanged'";
  return `(SELECT CASE WHEN suppressed = 0 THEN 'unchanged' WHEN unchanged + missing = 0 THEN 'suppressed' ELSE 'unchanged or suppressed' END FROM ${countsOf(kind)})`;
}

function settleNumbersSql(kind: SettledKind): string {
  const { batch, live, staged, written, key, targetId, idLoaded } = kind;
  const on = (alias: string) =>
    key.map(({ name, equality }, i) => `${alias}.${ident(name)} ${equality} k.k${i + 1}`).join(' AND ');
  const only = key.length === 1 && key[0]?.name === targetId;
  const known = targetId === undefined || only || idLoaded || staged !== undefined;
  const id = known ? 'k.target_id' : `l.${ident(targetId)}::bigint`;
  const settled =
    written === undefined
      ? "status = 'success'"
      : `status = CASE WHEN w.sluice_kind IS NULL THEN 'skipped' ELSE 'success' END, error_message = CASE WHEN w.sluice_kind IS NULL THEN ${leftReason(kind)} ELSE '' END`;
  const joins = [
    ...(written === undefined ? [] : [` LEFT JOIN ${written} w ON ${on('w')}`]),
    ...(known ? [] : [` LEFT JOIN ${live} l ON ${on('l')}`]),
  ].join('');
  return `UPDATE sluice.migration_record_row r SET ${settled}, target_id = ${id} FROM ${numbersTable(kind)} k${joins} WHERE r.batch_id = ${batch} AND r.number = k.number AND r.status = 'pending'`;
}

/** The records of a kind that a table took, and of which nothing more is said. */
function waiting({ batch, input, model }: Pick<SettledKind, 'batch' | 'input' | 'model'>): string {
  return `r.batch_id = ${batch} AND r.status = 'pending' AND r.input = ${literal(input)} AND r.target_model = ${literal(model)}`;
}

/** A column of the row as it was staged, out of the record's text. */
function shown({ name, type }: Pick<KeyColumn, 'name' | 'type'>): string {
  return cast(`r.transformed_data->>${literal(name)}`, type);
}

/** Records show numbers as the input wrote them, and to a column of whole numbers 1.0 is 1. */
function cast(text: string, type: string): string {
  return `(${text})${['smallint', 'integer', 'bigint'].includes(type) ? '::numeric' : ''}::${type}`;
}

/**
 * The statement that moves rows which the publish left as they were from the batch's successes to its skips.
 * `counts`: the table of the publish's numbers.
 */
export function unchangedSql(
  batch: string,
  counts: string,
  tables: readonly { readonly schema: string; readonly table: string }[],
): string {
  const names = tables.map(({ schema, table }) => `(${literal(schema)}, ${literal(table)})`).join(', ');
  return `UPDATE sluice.migration_batch b SET success_count = greatest(0, b.success_count - u.rows), skip_count = b.skip_count + least(u.rows, b.success_count) FROM (SELECT coalesce(sum(unchanged + missing + suppressed), 0) AS rows FROM ${counts} WHERE (schema_name, table_name) IN (${names})) u WHERE b.id = ${batch}`;
}
