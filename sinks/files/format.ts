import { packingOf } from './packing.js';

/** How rows are written as text. */
export type TextFormat = 'csv' | 'jsonl';

/** How a file of rows is written. */
export type ExportFormat = TextFormat | 'parquet';

const FORMATS: readonly (readonly [RegExp, ExportFormat])[] = [
  [/\.(csv|tsv|txt)$/i, 'csv'],
  [/\.(jsonl|ndjson)$/i, 'jsonl'],
  [/\.parquet$/i, 'parquet'],
];

/** The format that a file's name says, packed or not; undefined where it says none. */
export function formatOfName(path: string): ExportFormat | undefined {
  const plain = packingOf(path) === undefined ? path : path.replace(/\.[^.]+$/, '');
  return FORMATS.find(([pattern]) => pattern.test(plain))?.[1];
}
