import { keyTable } from '../db/ledger/records.js';
import { ident, literal, qualified } from '../db/quote.js';

/** A column of a record's key, as both its table and the record have it. */
export interface KeyColumn {
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
  /** `schema.table` of live, as records have it. */
  readonly model: string;
  /** Quoted and qualified. */
  readonly live: string;
  /** The staging table, where it has the ids that live will have (replace). */
  readonly staged: string | undefined;
  /** The table in which the publish notes what it has written (merge, patch). */
  readonly written: string | undefined;
  readonly key: readonly KeyColumn[];
  /** Records may not show their keys: they are in a table of their own. */
  readonly hidden: boolean;
  readonly targetId: string | undefined;
  /** The record's own value of `targetId` is the id. */
  readonly idLoaded: boolean;
}

/** Whether a kind's records have to be looked up by key at all. */
export function needsKeys({ written, targetId, key }: SettledKind): boolean {
  return key.length > 0 && (written !== undefined || targetId !== undefined);
}

/** The work table of a kind: number, id where it is known beforehand, and key of every record that a table took. */
export function numbersTable({ staging, at }: Pick<SettledKind, 'staging' | 'at'>): string {
  return qualified(staging, `sluice_record_${at}`);
}

/**
 * Makes a kind's work table, before the publish and outside its locks: keys out of the records' text, typed as the
 * table has them.
 */
export function numbersSql(kind: SettledKind): string[] {
  const { batch, staging, input, model, staged, key, hidden, targetId, idLoaded } = kind;
  const name = numbersTable(kind);
  const typed = key.map(({ name: column, type }, i) =>
    hidden ? `(k.key->>${i})::${type}` : `(r.transformed_data->>${literal(column)})::${type}`,
  );
  const only = key.length === 1 && key[0]?.name === targetId;
  const id =
    targetId === undefined
      ? 'NULL::bigint'
      : only
        ? `${typed[0]}::bigint`
        : idLoaded
          ? `(r.transformed_data->>${literal(targetId)})::bigint`
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
    `CREATE TABLE ${name} AS SELECT r.number, ${id} AS target_id${columns} FROM sluice.migration_record r${keys}${join} WHERE r.batch_id = ${batch} AND r.status = 'pending' AND r.input = ${literal(input)} AND r.target_model = ${literal(model)}`,
    `ANALYZE ${name}`,
  ];
}

/**
 * The statement of the publishing transaction that settles a kind's records: success with the id in live, or skipped
 * where the publish changed nothing for them. Runs behind the row changes, under any search_path.
 */
export function settleSql(kind: SettledKind): string {
  const { batch, input, model, live, staged, written, key, targetId, idLoaded } = kind;
  if (!needsKeys(kind))
    return `UPDATE sluice.migration_record SET status = 'success' WHERE batch_id = ${batch} AND status = 'pending' AND input = ${literal(input)} AND target_model = ${literal(model)}`;
  const on = (alias: string) =>
    key.map(({ name, equality }, i) => `${alias}.${ident(name)} ${equality} k.k${i + 1}`).join(' AND ');
  const only = key.length === 1 && key[0]?.name === targetId;
  const known = targetId === undefined || only || idLoaded || staged !== undefined;
  const id = known ? 'k.target_id' : `l.${ident(targetId)}::bigint`;
  const settled =
    written === undefined
      ? "status = 'success'"
      : "status = CASE WHEN w.sluice_kind IS NULL THEN 'skipped' ELSE 'success' END, error_message = CASE WHEN w.sluice_kind IS NULL THEN 'unchanged' ELSE '' END";
  const joins = [
    ...(written === undefined ? [] : [` LEFT JOIN ${written} w ON ${on('w')}`]),
    ...(known ? [] : [` LEFT JOIN ${live} l ON ${on('l')}`]),
  ].join('');
  return `UPDATE sluice.migration_record r SET ${settled}, target_id = ${id} FROM ${numbersTable(kind)} k${joins} WHERE r.batch_id = ${batch} AND r.number = k.number AND r.status = 'pending'`;
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
  return `UPDATE sluice.migration_batch b SET success_count = greatest(0, b.success_count - u.rows), skip_count = b.skip_count + least(u.rows, b.success_count) FROM (SELECT coalesce(sum(unchanged + missing), 0) AS rows FROM ${counts} WHERE (schema_name, table_name) IN (${names})) u WHERE b.id = ${batch}`;
}
