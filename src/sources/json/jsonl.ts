import type { AnyRow, Column, Row } from '../../core/row.js';
import type { Source } from '../../core/types.js';
import { pathSource } from '../text/path-source.js';
import { cutLines, linesParts } from './cut.js';
import { batchesOf } from './lines.js';
import type { JsonlOptions } from './options.js';

export type { JsonlOptions } from './options.js';

/**
 * The objects of the JSON Lines file at `path` (`-` is stdin; gzip and zstd are unpacked), a row each.
 * Numbers that JavaScript would write otherwise are bigints and `ExactNumber`s, so that they reach their column as they
 * were written. Lines that are no
 * JSON object, not UTF-8, nested more than 1,000 deep or that have a key twice in one object are rejects with line
 * and byte offset. Blank lines are skipped. A file that begins with an array, with an object of several lines or with
 * two on one line is read as `json` reads it.
 *
 * Reading throws what keeps a file from being read (usage `file_not_found`, `is_directory`; failed `no_permission`,
 * `read_failed`, `truncated_input`, `corrupt_input`, `invalid_encoding`; refused `empty_file`, `binary_file`, `utf16_input`),
 * and failed `record_too_long`.
 */
export function jsonl<const C extends string>(
  path: string,
  options: JsonlOptions & { readonly columns: readonly C[] },
): Source<Readonly<Record<C, unknown>>>;
/** Rows as the author says they are. */
export function jsonl<R extends AnyRow = Row>(
  path: string,
  options?: JsonlOptions & { readonly columns?: readonly Column<R>[] },
): Source<R>;
export function jsonl(path: string, options: JsonlOptions = {}): Source {
  return pathSource(path, {
    format: 'json',
    columns: options.columns,
    batches: (run) => batchesOf(path, options, run),
    cut: (run, how) => cutLines(path, options, run, how),
    partReader: async (run) => linesParts(path, options, run),
  });
}
