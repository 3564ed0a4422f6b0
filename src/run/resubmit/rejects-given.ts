import { resubmitErrors } from '../../core/errors/catalogue/resubmit.js';
import { type CsvText, mapParts, mapReader } from '../../core/parts.js';
import { silenced } from '../../core/quiet-run.js';
import { type Chunk, markOrigin, originOf, type Row, type Rows } from '../../core/row.js';
import type { Run } from '../../core/run.js';
import type { Target } from '../../core/target.js';
import type { Source } from '../../core/types.js';
import { batchOfReject } from '../../db/ledger/rejects.js';
import { ourDatabase } from '../../db/users-path.js';
import { bytesOfSource } from '../../sources/bytes/open.js';
import { MASKED } from '../given/masking.js';
import { isEscaped } from './corrections.js';
import { isRejectColumn, REJECT_COLUMNS } from './reject-columns.js';
import { asGiven } from './restore.js';

/** Whether rows of these columns are out of a file of rejects. */
export const isRejects = (columns: readonly string[]): boolean => columns.includes(REJECT_COLUMNS.number);

/**
 * `source`, an ordinary input, which may turn out to be a file of rejects. One that was written without a batch (by a
 * dry run, say) is read as what was corrected in it: its own columns, their escapes undone, each row with its line in
 * the input as its origin. Of a batch's rejects it throws refused `rejects_given`: they have to be told of their batch,
 * lest they be published twice, or escaped; where a table of the pipeline is made just the input's rows (`whole`), of any
 * rejects refused `rejects_alone`: the others would be deleted.
 */
export function recognised(source: Source, pipeline: string, whole?: string): Source {
  if (source.kind !== 'file' && source.kind !== 'stdin') return source;
  if (source.columns !== undefined && isRejects(source.columns)) return source;
  const { check, cut, partReader } = source;
  async function* read(rows: Rows, run: Run): Rows {
    for await (const chunk of rows)
      yield REJECT_COLUMNS.number in (chunk[0] as Row)
        ? await corrected(chunk, source, { pipeline, whole }, run)
        : chunk;
  }
  return {
    ...source,
    ...(check === undefined
      ? {}
      : {
          async check(run) {
            const said = (await check.call(source, run)) ?? [];
            // Nothing else can be looked at without being taken.
            if (source.kind === 'file' && (await bytesOfSource(source, run)) !== undefined)
              for await (const _ of read(source.read(silenced(run)), run)) break;
            return said;
          },
        }),
    read: (run) => read(source.read(run), run),
    ...(cut === undefined
      ? {}
      : {
          async cut(run, how) {
            const opened = await cut.call(source, run, how);
            return mapParts(opened, read, 'rows' in opened ? undefined : ordinary(opened.csv));
          },
        }),
    ...(partReader === undefined
      ? {}
      : {
          async partReader(run, opening) {
            const reader = await partReader.call(source, run, opening);
            return mapReader(reader, read, ordinary(reader.csv));
          },
        }),
  };
}

/** `csv` where it is no file of rejects, whose rows have to be read. */
const ordinary = (csv: CsvText | undefined) =>
  csv !== undefined && isRejects(csv.columns) ? undefined : csv;

/** The rows of a file of rejects without a batch as their input would have them. Throws as `recognised` does. */
async function corrected(
  chunk: Chunk,
  source: Source,
  { pipeline, whole }: { readonly pipeline: string; readonly whole: string | undefined },
  run: Run,
): Promise<Row[]> {
  const escaped = isEscaped(source);
  const numbered = chunk.find(isNumbered);
  if (numbered !== undefined) throw await rejectsGiven(numbered, source.name, pipeline, run);
  if (whole !== undefined) throw alone(source.name, whole);
  return chunk.map((row) => {
    const columns = Object.entries(row).filter(([column]) => !isRejectColumn(column));
    const wrong = uncorrected(columns);
    if (wrong !== undefined) {
      const { not_corrected } = resubmitErrors;
      const known = { line: originOf(row) };
      throw wrong.masked === undefined
        ? not_corrected.empty({ input: source.name }, known)
        : not_corrected.masked({ input: source.name, column: wrong.masked }, known);
    }
    const line = Number(row[REJECT_COLUMNS.line] ?? Number.NaN);
    const made = asGiven(columns, { raw: null, column_name: null }, escaped);
    return markOrigin({ ...made }, Number.isInteger(line) ? line : originOf(row));
  });
}

/** The table of `targets` of which the load deletes what its input lacks; undefined where there is none. */
export function deletedFrom(targets: Iterable<Pick<Target, 'mode' | 'table'>>): string | undefined {
  for (const { mode, table } of targets) if (mode === 'sync') return table;
  return undefined;
}

/** The refusal of rejects as the whole input of a table. */
function alone(name: string, table: string) {
  return resubmitErrors.rejects_alone({ input: name, table });
}

/** What a command that resubmits rejects of a copy takes from that copy. */
const TAKEN = [
  'create',
  'map',
  'skipColumns',
  'omit',
  'columns',
  'key',
  'schema',
  'at',
  'table',
  'query',
  'sheet',
  'skipLines',
  'mode',
  'resume',
];

/** The refusal of a file of rejects that is given as if it were an input. */
export async function rejectsGiven(row: Row, name: string, pipeline: string, run: Pick<Run, 'database'>) {
  const number = Number(row[REJECT_COLUMNS.number]);
  const line = Number(row[REJECT_COLUMNS.line] ?? Number.NaN);
  const batch = Number.isInteger(number)
    ? await batchOfReject(ourDatabase(run.database), pipeline, number, Number.isInteger(line) ? line : null)
    : undefined;
  const of = { input: name, drop: TAKEN, numbers: REJECT_COLUMNS.number };
  return batch === undefined
    ? resubmitErrors.rejects_given.ofUnknown(of)
    : resubmitErrors.rejects_given.ofBatch({ ...of, batch });
}

/** What is left to do about the columns of a reject: all, or to put in what is `masked`; undefined where they can be loaded. */
function uncorrected(
  columns: readonly (readonly [string, unknown])[],
): { readonly masked: string | undefined } | undefined {
  if (columns.every(([, value]) => value === null || value === '')) return { masked: undefined };
  const masked = columns.find(([, value]) => value === MASKED);
  return masked === undefined ? undefined : { masked: masked[0] };
}

/** Whether a row out of a file of rejects is one of a batch's. */
export function isNumbered(row: Row): boolean {
  const number = row[REJECT_COLUMNS.number];
  return number !== null && number !== undefined && number !== '';
}
