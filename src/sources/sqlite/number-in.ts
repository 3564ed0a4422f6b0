/**
 * SQL for the number in a cell, or in a text that is nothing but the digits of one; null for all else. `cell`: quoted
 * for SQL. What is a number here is one to `momentOf`, too.
 */
export function numberIn(cell: string): string {
  return `CASE typeof(${cell}) WHEN 'integer' THEN ${cell} WHEN 'real' THEN ${cell}
    WHEN 'text' THEN CASE WHEN (${cell} GLOB '[0-9]*' OR ${cell} GLOB '-[0-9]*') AND ${cell} GLOB '*[0-9]'
      AND replace(substr(${cell}, 2), '.', '') NOT GLOB '*[^0-9]*' AND length(${cell}) - length(replace(${cell}, '.', '')) <= 1
      THEN CAST(${cell} AS NUMERIC) END END`;
}
