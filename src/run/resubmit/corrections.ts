import { columnErrors } from '../../core/errors/catalogue/columns.js';
import { inputErrors } from '../../core/errors/catalogue/inputs.js';
import { resubmitErrors } from '../../core/errors/catalogue/resubmit.js';
import { originOf, type Row } from '../../core/row.js';
import type { Run } from '../../core/run.js';
import type { Source } from '../../core/types.js';
import type { RejectFate } from '../../db/ledger/reject-fates.js';
import { type RejectRecord, readRecords } from '../../db/ledger/rejects.js';
import { ourDatabase } from '../../db/users-path.js';
import { formatOf, hasColumns } from '../../sources/format.js';
import { MASKED } from '../given/masking.js';
import { isRejectColumn, REJECT_COLUMNS } from './reject-columns.js';
import { asGiven } from './restore.js';

/** A reject with the row that is to be in its place. */
export interface Correction {
  readonly number: number;
  /** Of the row in its input; null where it is not known. */
  readonly line: number | null;
  /** The input's columns; `[masked]` where the value is that of the input. */
  readonly row: Row;
  /** The record as the ledger keeps it. */
  readonly raw: RejectRecord['raw'];
}

/** A file of corrected rejects. */
export interface CorrectedFile {
  readonly source: Source;
  /** The input of the pipeline that it was given to; undefined: its rows say it by their numbers. */
  readonly input: string | undefined;
}

/** What the rows of corrected files are compared with. */
export interface Expected {
  readonly batch: string;
  readonly fates: ReadonlyMap<number, RejectFate>;
  /** What rejects call the pipeline's inputs, by their names there. */
  readonly labels: Readonly<Record<string, string>>;
  /** The columns that all rows of an input have, by its name; left out of inputs that are read from JSON. */
  readonly columns: Readonly<Record<string, readonly string[]>>;
  /** Only rejects that no later batch has published corrected. */
  readonly once: boolean;
  /** What is masked is taken from the input, which is read again. */
  readonly masked: boolean;
}

/**
 * Reads corrected files wholly, before anything else is read: the corrections of each input, in the order of their
 * lines. Throws refused errors for rows that are no rejects of the batch, stand twice, were resubmitted already or are
 * not corrected.
 */
export async function readCorrections(
  files: readonly CorrectedFile[],
  expected: Expected,
  run: Run,
): Promise<Map<string, Correction[]>> {
  const made = new Map<string, Correction[]>();
  const seen = new Set<string>();
  for (const { source, input } of files) {
    const reading = changed(source, run);
    for await (const chunk of source.read(reading)) {
      const places = chunk.map((row) => placeOf(row, { source, input }, expected, seen));
      const records = await readRecords(
        ourDatabase(run.database),
        expected.batch,
        places.map(({ fate }) => fate.number),
      );
      for (const [at, row] of chunk.entries()) {
        const { name, fate } = places[at] as Place;
        const record = records.get(fate.number) as RejectRecord;
        const corrections = made.get(name) ?? [];
        made.set(name, corrections);
        corrections.push({
          number: fate.number,
          line: fate.line,
          row: correctedRow(row, source, record, expected.columns[name], expected),
          raw: record.raw,
        });
      }
    }
  }
  for (const corrections of made.values())
    corrections.sort((a, b) => (a.line ?? Number.MAX_VALUE) - (b.line ?? Number.MAX_VALUE));
  return made;
}

interface Place {
  readonly name: string;
  readonly fate: RejectFate;
}

/** The reject that a row is, and the input that it belongs to. */
function placeOf(row: Row, file: CorrectedFile, expected: Expected, seen: Set<string>): Place {
  const { batch, fates, labels, once } = expected;
  const told = row[REJECT_COLUMNS.number];
  const number = Number(told ?? Number.NaN);
  const fate = fates.get(number);
  if (fate === undefined)
    throw resubmitErrors.not_a_reject(
      { batch, numbers: REJECT_COLUMNS.number },
      { ...at(row, file.source), value: told ?? null },
    );
  const of = Object.keys(labels).find((name) => labels[name] === fate.input);
  if (file.input !== undefined && of !== undefined && of !== file.input)
    throw resubmitErrors.other_input({ batch, reject: number, of, given: file.input }, at(row, file.source));
  const name = of ?? file.input;
  if (name === undefined)
    throw inputErrors.which_input.ofReject({ reject: number, file: file.source.name }, at(row, file.source));
  if (once && fate.corrected_by !== null)
    throw resubmitErrors.already_resubmitted.reject(
      { reject: number, by: fate.corrected_by },
      at(row, file.source),
    );
  const is = fate.line === null ? `reject ${number}` : `${fate.input}, line ${fate.line}`;
  if (seen.has(is)) throw resubmitErrors.reject_twice({ reject: number }, at(row, file.source));
  seen.add(is);
  return { name, fate };
}

/** The row as its input would have it. */
function correctedRow(
  row: Row,
  source: Source,
  record: RejectRecord,
  columns: readonly string[] | undefined,
  { masked }: Expected,
): Row {
  const { number, raw } = record;
  const given = Object.entries(row).filter(([column]) => !isRejectColumn(column));
  if (given.every(([, value]) => value === null || value === ''))
    throw resubmitErrors.not_corrected.reject({ reject: number, raw: REJECT_COLUMNS.raw }, at(row, source));
  const hidden = given.find(([, value]) => value === MASKED);
  if (hidden !== undefined && !(masked && typeof raw === 'object'))
    throw resubmitErrors.still_masked({ reject: number, column: hidden[0] }, at(row, source));
  const made = asGiven(given, record, isEscaped(source));
  const lacks = columns?.find((column) => !Object.hasOwn(made, column));
  if (lacks !== undefined) throw columnErrors.column_missing({ column: lacks }, at(row, source));
  const more = columns === undefined ? undefined : Object.keys(made).find((name) => !columns.includes(name));
  if (more !== undefined)
    throw columnErrors.unknown_column.corrected({ column: more, columns: columns ?? [] }, at(row, source));
  return made;
}

/** Whether the file's formulas are escaped: all that a spreadsheet might open. */
export const isEscaped = ({ format, name }: Source): boolean =>
  hasColumns(format) && hasColumns(formatOf(name));

/** A record of the file that cannot be read ends it: left out, its reject would be taken for one that was not given. */
function changed(source: Source, run: Run): Run {
  return Object.create(run, {
    reject: {
      value: (row: Row | undefined, why: Parameters<Run['reject']>[1]) => {
        const line = why.line ?? (row === undefined ? undefined : originOf(row));
        const { unreadable_correction } = resubmitErrors;
        const unreadable = {
          input: source.name,
          why: why.message ?? why.reason.replaceAll('_', ' '),
        };
        throw why.reason === 'invalid_utf8'
          ? unreadable_correction.notUtf8(unreadable, { line })
          : unreadable_correction.other(unreadable, { line });
      },
    },
  }) as Run;
}

/** Where a row of a corrected file stands. */
const at = (row: Row, source: Source) => ({ input: source.name, line: originOf(row) });
