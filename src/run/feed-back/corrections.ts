import { refused } from '../../core/errors/author.js';
import type { ErrorFacts } from '../../core/errors/sluice-error.js';
import { again, command, type Next } from '../../core/next.js';
import { originOf, type Row } from '../../core/row.js';
import type { Run } from '../../core/run.js';
import type { Source } from '../../core/types.js';
import type { RejectFate } from '../../db/ledger/reject-fates.js';
import { type RejectRecord, readRecords } from '../../db/ledger/rejects.js';
import { ourDatabase } from '../../db/users-path.js';
import { formatOf } from '../../sources/file.js';
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
 * lines. Throws refused errors for rows that are no rejects of the batch, stand twice, were fed back already or are
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
    throw no(
      row,
      file.source,
      'not_a_reject',
      `the row is not one of the rejects of batch ${batch}`,
      command(
        'rejects',
        [batch],
        { format: 'csv' },
        {
          lead: `correct the file that this gives, and leave its column ${REJECT_COLUMNS.number} as it is`,
          to: 'fixed.csv',
        },
      ),
      { column: REJECT_COLUMNS.number, value: told ?? null },
    );
  const of = Object.keys(labels).find((name) => labels[name] === fate.input);
  if (file.input !== undefined && of !== undefined && of !== file.input)
    throw no(
      row,
      file.source,
      'other_input',
      `reject ${number} is a row of the input ${of}, and is given to ${file.input}`,
      command(
        'rejects',
        [batch],
        { into: 'fixed' },
        { lead: 'give every input the file of its own rejects' },
      ),
    );
  const name = of ?? file.input;
  if (name === undefined)
    throw no(
      row,
      file.source,
      'which_input',
      `it is not known which input reject ${number} is a row of`,
      again({ drop: ['source'], flags: { input: `name=${file.source.name}` } }, { lead: 'say it' }),
    );
  if (once && fate.corrected_by !== null)
    throw no(
      row,
      file.source,
      'already_fed_back',
      `reject ${number} was fed back already, with batch ${fate.corrected_by}`,
      [
        'take the row out of the file',
        command('rollback', [fate.corrected_by], {}, { lead: 'or undo that batch first' }),
      ],
    );
  const is = fate.line === null ? `reject ${number}` : `${fate.input}, line ${fate.line}`;
  if (seen.has(is))
    throw no(
      row,
      file.source,
      'reject_twice',
      `reject ${number} stands twice in the file`,
      'a reject is one row: take the other out',
    );
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
    throw no(
      row,
      source,
      'not_corrected',
      `reject ${number} has no values yet`,
      `fill its columns in (${REJECT_COLUMNS.raw} shows what the input had), or take the row out`,
    );
  const hidden = given.find(([, value]) => value === MASKED);
  if (hidden !== undefined && !(masked && typeof raw === 'object'))
    throw no(
      row,
      source,
      'still_masked',
      `${hidden[0]} of reject ${number} is masked`,
      'put the value in; the ledger does not have it',
      { column: hidden[0] },
    );
  const made = asGiven(given, record, isEscaped(source));
  const lacks = columns?.find((column) => !Object.hasOwn(made, column));
  if (lacks !== undefined)
    throw no(
      row,
      source,
      'column_missing',
      `the file lacks the column ${lacks} of the input`,
      'leave all columns of the file of rejects where they are',
      { column: lacks },
    );
  const more = columns === undefined ? undefined : Object.keys(made).find((name) => !columns.includes(name));
  if (more !== undefined)
    throw no(
      row,
      source,
      'unknown_column',
      `the input has no column ${more}`,
      `take it out of the file, or call it as the input does: ${columns?.join(', ')}`,
      { column: more },
    );
  return made;
}

/** Whether the file's formulas are escaped: all that a spreadsheet might open. */
export const isEscaped = ({ format, name }: Source): boolean =>
  format !== 'json' && !['json', 'jsonl'].includes(formatOf(name) ?? 'csv');

/** A record of the file that cannot be read ends it: left out, its reject would be taken for one that was not given. */
function changed(source: Source, run: Run): Run {
  return Object.create(run, {
    reject: {
      value: (row: Row | undefined, why: Parameters<Run['reject']>[1]) => {
        const line = why.line ?? (row === undefined ? undefined : originOf(row));
        throw refused(
          'unreadable_correction',
          `a row of the corrected file cannot be read: ${why.message ?? why.reason.replaceAll('_', ' ')}`,
          {
            input: source.name,
            ...(line === undefined ? {} : { line }),
            state: 'nothing was written',
            next: unreadableNext(why.reason),
          },
        );
      },
    },
  }) as Run;
}

/** What may be wrong with a corrected file: a spreadsheet saves CSV in a dialect and an encoding of its own. */
const unreadableNext = (reason: string): Next =>
  reason === 'invalid_utf8'
    ? [
        again(
          { flags: { encoding: 'windows-1252' } },
          { lead: 'if it is not UTF-8, name its encoding, such as' },
        ),
        'or save it as UTF-8',
      ]
    : [
        'correct the line: it must have as many columns as the header',
        again({ flags: { delimiter: ';' } }, { lead: 'or, where its values stand between semicolons' }),
      ];

function no(row: Row, source: Source, code: string, message: string, next: Next, facts: ErrorFacts = {}) {
  const line = originOf(row);
  return refused(code, message, {
    input: source.name,
    ...(line === undefined ? {} : { line }),
    state: 'nothing was written',
    ...facts,
    next,
  });
}
