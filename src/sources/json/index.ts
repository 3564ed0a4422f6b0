import type { AnyRow, Column, Row } from '../../core/row.js';
import type { Run } from '../../core/run.js';
import type { Source } from '../../core/types.js';
import { checkFile } from '../text/check.js';
import { pathSource } from '../text/path-source.js';
import type { JsonOptions } from './options.js';

export type { JsonOptions } from './options.js';

/**
 * The objects of an array in the JSON document at `path` (`-` is stdin; gzip and zstd are unpacked), a row
 * each; the document may be of any size. Without `at`, objects one after the other, in no array, are rows too. A
 * row's origin is its place in the array (1-based), which is also what rejects give as the line. Numbers that
 * JavaScript would write otherwise are bigints and `ExactNumber`s, so that they reach their column as they were written. Elements that are no objects, are
 * nested more than 1,000 deep or have a key twice in one object are rejects.
 *
 * Reading throws what keeps a file from being read (usage `file_not_found`, `is_directory`; failed `no_permission`,
 * `read_failed`, `truncated_input`, `corrupt_input`, `invalid_encoding`; refused `empty_file`, `binary_file`, `utf16_input`);
 * usage `no_array`; failed `invalid_json`, `invalid_utf8`, `record_too_long`,
 * and `duplicate_key` for one of the keys that lead to the array.
 */
export function json<const C extends string>(
  path: string,
  options: JsonOptions & { readonly columns: readonly C[] },
): Source<Readonly<Record<C, unknown>>>;
/** Rows as the author says they are. */
export function json<R extends AnyRow = Row>(
  path: string,
  options?: JsonOptions & { readonly columns?: readonly Column<R>[] },
): Source<R>;
export function json(path: string, options: JsonOptions = {}): Source {
  return {
    ...pathSource(path, {
      format: 'json',
      columns: options.columns,
      batches: (run) => batches(path, options, run),
    }),
    check: (run) =>
      checkFile(path, run, async function* (silent) {
        const { jsonBatches, beginning } = await import('./reader.js');
        yield* beginning(jsonBatches(path, options, silent));
      }),
  };
}

/** stream-json is loaded by those alone who need it. */
async function* batches(path: string, options: JsonOptions, run: Run): AsyncGenerator<Row[], void> {
  const { jsonBatches } = await import('./reader.js');
  yield* jsonBatches(path, options, run);
}
