import { totals } from '../../core/accounting.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';
import type { Finding } from '../../core/pipeline.js';
import { plural } from '../../core/plural.js';
import type { FrequentError } from '../../core/record-summary.js';
import { asFailure, endsAsking } from '../end/failure.js';
import { readOnce, recordInputs } from '../inputs/fingerprint.js';
import type { Job } from '../job/job.js';
import { assertAccounted } from '../load/accounted.js';
import { loadDry } from '../load/load.js';
import type { ToRead } from '../load/place.js';
import type { Checked } from './check.js';
import { asFinding } from './findings.js';

/** What a run would make of the rows, as far as that shows before anything is staged. */
export interface ForeseenRows {
  readonly read: number;
  readonly rejected: number;
  /** The rejects by reason and column, the most frequent ones, each with an example. */
  readonly errors: readonly FrequentError[];
  /** How many kinds there are, by reason and column. */
  readonly kinds: number;
  /** Why a run would refuse; undefined where it would not. */
  readonly refused?: SluiceError;
}

/**
 * Reads, transforms and type-checks every row as a dry run does, and writes nothing: the list of what is wrong with
 * rows is the one of the run itself. `why` says why that cannot be asked, where an input can be read only once.
 * Throws only where it is stopped, or the connection is lost.
 */
export async function foresee(job: Job, checked: ToRead): Promise<ForeseenRows | { readonly why: string }> {
  const once = readOnce(await recordInputs(job.inputs, job.options.inputs ?? {}, job));
  if (once.length > 0) return { why: `${once.join(' and ')} can be read only once, by the run` };
  let read: number | undefined;
  let refused: SluiceError | undefined;
  try {
    job.state.accounts = await job.phase('rows', 'reading, transforming and checking every row', () =>
      loadDry(job, checked),
    );
    read = totals(job.state.accounts).read;
    assertAccounted(job);
  } catch (error) {
    refused = asFailure(error, job.signal);
    if (endsAsking(refused)) throw refused;
  }
  return {
    read: read ?? job.progress.live.total_records,
    rejected: job.rejects.count,
    errors: job.rejects.frequent.top(),
    kinds: job.rejects.frequent.kinds,
    ...(refused === undefined ? {} : { refused }),
  };
}

/** The same as findings of a check. */
export async function rowFindings(job: Job, checked: Checked): Promise<Finding[]> {
  const found = await foresee(job, checked);
  if ('why' in found) return [{ severity: 'note', message: `the rows were not asked: ${found.why}` }];
  const { read, rejected, errors, kinds, refused } = found;
  const details = errors.map(described);
  const shown = errors.reduce((sum, { rows }) => sum + rows, 0);
  if (kinds > errors.length)
    details.push(
      `… and ${kinds - errors.length} more by reason and column, of ${plural(rejected - shown, 'row')}`,
    );
  if (refused !== undefined) return [{ ...asFinding(refused), ...(details.length === 0 ? {} : { details }) }];
  if (rejected === 0) return [];
  return [
    {
      severity: 'warning',
      message: `${rejected} of ${plural(read, 'row')} would be rejected, as many as --max-rejects allows`,
      details,
    },
  ];
}

/** `bad_date (Fecha): 2 rows, such as pets.csv, line 3: Cannot parse date: 2024-02-30`. */
function described({ reason, column, rows, example }: FrequentError): string {
  const at = example.line === null ? '' : `, line ${example.line}`;
  return `${reason.replaceAll('_', ' ')}${column === null ? '' : ` (${column})`}: ${plural(rows, 'row')}, such as ${example.input}${at}: ${example.message}`;
}
