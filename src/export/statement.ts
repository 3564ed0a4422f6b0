import type { CsvForm } from '../../sinks/files/csv-form.js';
import type { ExportFormat } from '../../sinks/files/format.js';
import { idents, literal, qualified } from '../db/quote.js';
import { bare } from '../sources/postgres/describe.js';

/** What is exported: a relation's columns, or a query. */
export type Selected =
  | {
      readonly schema: string;
      readonly table: string;
      readonly columns: readonly string[];
      /** COPY reads it by itself, which is faster: a plain table that no other one inherits from. */
      readonly plain: boolean;
    }
  | { readonly query: string };

/** The SELECT of what is exported. Pure. */
export function selectSql(selected: Selected): string {
  if ('query' in selected) return bare(selected.query);
  return `SELECT ${idents(selected.columns)} FROM ${qualified(selected.schema, selected.table)}`;
}

/**
 * The COPY statement whose text becomes the file. Pure. JSON and Parquet are made of COPY's text format, CSV is the
 * server's own. The line break ends a comment at the end of the query.
 */
export function copyOutSql(selected: Selected, format: ExportFormat, csv: CsvForm): string {
  if (format === 'jsonl')
    // The name stands for the whole row, also where a column is called so.
    return `COPY (SELECT pg_catalog.row_to_json("row".*) FROM (${selectSql(selected)}\n) AS "row") TO STDOUT`;
  const options =
    format === 'csv'
      ? ` WITH (FORMAT csv, DELIMITER ${literal(csv.delimiter)}, NULL ${literal(csv.nullText ?? '')})`
      : '';
  if ('plain' in selected && selected.plain)
    return `COPY ${qualified(selected.schema, selected.table)} (${idents(selected.columns)}) TO STDOUT${options}`;
  return `COPY (${selectSql(selected)}\n) TO STDOUT${options}`;
}
