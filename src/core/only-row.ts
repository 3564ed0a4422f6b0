import { pipelineErrors } from './errors/catalogue/pipelines.js';

/**
 * The row of a statement that gives one, such as counts: `onlyRow(await database.query(…))`. Throws failed `not_one_row`
 * where there is none, or more than one.
 */
export function onlyRow<R>(rows: readonly R[]): R {
  const [row, ...others] = rows;
  if (row === undefined || others.length > 0) throw pipelineErrors.not_one_row({ rows: rows.length });
  return row;
}
