import type { Row, TextRow } from '../../core/row.js';
import type { Run } from '../../core/run.js';
import type { Source } from '../../core/types.js';
import { pathSource } from '../text/path-source.js';
import { cutStrict, type Opening, strictParts } from './cut.js';
import { readStrict } from './fast.js';
import { type CsvOptions, checkOptions, isStrict } from './options.js';

export type { CsvOptions } from './options.js';

/** A row of a CSV file: text, or null where the field is unquoted and empty. */
export type CsvRow<C extends string = string> = TextRow<C>;

/**
 * The rows of the CSV file at `path` (`-` is stdin; gzip and zstd are unpacked). Values are text; an
 * unquoted empty field is null, a quoted one the empty text. Records that cannot be read are rejects with
 * their line and byte offset (in the unpacked UTF-8 text), and reading goes on at the next line.
 * Blank lines are skipped, but in a file of one column they are rows (null), as COPY has it.
 *
 * Throws usage `bad_csv_option` at once. Reading throws what keeps a file from being read (usage `file_not_found`, `is_directory`; failed `no_permission`,
 * `read_failed`, `truncated_input`, `corrupt_input`, `invalid_encoding`; refused `empty_file`, `binary_file`, `utf16_input`);
 * usage `missing_column`, `unknown_column`; refused `bad_header`, `duplicate_column`, `empty_column_name`; failed
 * `record_too_long`.
 */
export function csv<const C extends string = string>(
  path: string,
  options: CsvOptions & { readonly columns?: readonly C[] } = {},
): Source<CsvRow<C>> {
  checkOptions(options);
  const strict = isStrict(options);
  const batches = strict ? readStrict : readOther;
  return pathSource<CsvRow<C>>(path, {
    format: 'csv',
    columns: options.columns,
    batches: (run) => batches(path, options, run),
    ...(strict
      ? {
          cut: (run, how) => cutStrict(path, options, run, how),
          partReader: async (run, opening) => strictParts(path, options, run, opening as Opening),
        }
      : {}),
  });
}

/** csv-parse is loaded by those alone who need it. */
async function* readOther(path: string, options: CsvOptions, run: Run): AsyncGenerator<readonly Row[], void> {
  const { readDialect } = await import('./dialect.js');
  yield* readDialect(path, options, run);
}
