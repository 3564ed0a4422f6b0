import { pipelineErrors } from '../../core/errors/catalogue/pipelines.js';
import { resubmitErrors } from '../../core/errors/catalogue/resubmit.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import type { Finding, Pipeline } from '../../core/pipeline.js';
import type { Target } from '../../core/target.js';
import { type Batch, findBatch } from '../../db/ledger/batches.js';
import { requireLedger } from '../../db/ledger/open.js';
import { findKept, readPublished } from '../../db/ledger/published.js';
import { endsAsking } from '../end/failure.js';
import { publishing, rerun } from '../given/next-command.js';
import type { RunOptions } from '../given/options.js';
import { validationContext } from '../job/contexts.js';
import { Job } from '../job/job.js';
import { rejectLabels } from '../resubmit/corrected-inputs.js';
import { writersOf } from '../rollback/written-since.js';
import { changedSince } from './changed-since.js';

/** A validation asked again, and what it found. */
interface Revalidated {
  readonly name: string;
  readonly summary: string;
  readonly ok: boolean;
  /** False where it was asked at the publish only; `findings` are then what is known from there. */
  readonly askedAgain: boolean;
  readonly findings: readonly Finding[];
}

export interface BatchValidated {
  readonly batch: string;
  readonly pipeline: string;
  readonly ok: boolean;
  readonly validations: readonly Revalidated[];
  /** What to bear in mind: a later batch, what was not kept. */
  readonly notes: readonly string[];
}

/** The published batch `id`. Throws usage where there is none, refused `not_published` where it is not published. */
export async function findPublished(database: RunOptions['database'], id: string): Promise<Batch> {
  await requireLedger(database);
  const batch = await findBatch(database, id);
  if (batch.status === 'completed') return batch;
  throw resubmitErrors.not_published.batch({
    batch: id,
    status: batch.status.replace('_', ' '),
    next: batch.status === 'staged' ? publishing(batch, { note: 'asks the validations, too' }) : rerun(batch),
  });
}

/**
 * Asks the validations of a published batch's pipeline again. `staged()` answers the live tables; `live()`, which at
 * the time of the publish was what stood there before, answers the tables that the batch keeps, and the live ones where
 * nothing is kept. A validation that cannot be asked has failed. Nothing is written.
 */
export async function validateBatch(
  pipeline: Pipeline,
  batch: Batch,
  options: Pick<RunOptions, 'database' | 'inputs' | 'log' | 'signal' | 'events'>,
): Promise<BatchValidated> {
  const { database } = options;
  const job = await Job.prepare(pipeline, {
    ...options,
    settings: batch.settings,
    from: batch.pipeline_from,
  });
  try {
    const kept = await findKept(database, batch.id);
    const places = new Map<Target, { schema: string; table: string }>();
    const before = new Map<Target, { schema: string; table: string }>();
    const unkept: string[] = [];
    for (const { target, schema, table } of job.tables) {
      places.set(target, { schema, table });
      const old = kept.find((each) => each.table_schema === schema && each.table_name === table);
      if (old !== undefined) before.set(target, { schema: old.schema, table });
      else unkept.push(`${schema}.${table}`);
    }
    const writers = new Map<Target, readonly string[]>();
    const published = await readPublished(database, batch.id);
    for (const each of published) {
      const target = job.tables.find(
        (one) => one.schema === each.table_schema && one.table === each.table_name,
      );
      const known = writersOf(each);
      if (target !== undefined && known !== undefined) writers.set(target.target, known);
    }
    const accounts = { accounts: batch.accounting ?? [], labels: rejectLabels(batch) };
    const context = validationContext(job, places, accounts, { before, writers });
    const validations: Revalidated[] = [];
    for (const validation of pipeline.validations ?? []) {
      const { name, summary } = validation;
      job.signal.throwIfAborted();
      options.events?.phase?.('validate', summary);
      const findings = await validation.ask(context).catch((error: unknown): Finding[] => [couldNot(error)]);
      validations.push({
        name,
        summary,
        ok: findings.every(({ severity }) => severity !== 'error'),
        askedAgain: validation.atPublishOnly !== true,
        findings,
      });
    }
    const later = await laterBatches(job, batch.id);
    return {
      batch: batch.id,
      pipeline: pipeline.name,
      ok: validations.every(({ ok }) => ok),
      validations,
      notes: [
        ...(await changedSince(database, published)),
        ...later.map((each) => `batch ${each.batch} has published to ${each.table} since`),
        ...(unkept.length === 0
          ? []
          : [
              `what stood in ${unkept.join(', ')} before is not kept: comparisons with it compare live with itself`,
            ]),
      ],
    };
  } finally {
    await job.clear();
    await database.endSnapshot();
  }
}

function couldNot(error: unknown): Finding {
  if (endsAsking(error)) throw error;
  const { message } = error as Error;
  const next = error instanceof SluiceError ? error.facts.next : undefined;
  return {
    severity: 'error',
    message: `it could not be asked: ${message}`,
    ...(next === undefined ? {} : { next }),
  };
}

/** Later batches that have changed rows of the tables, as far as the ledger has counted them, or may have. */
async function laterBatches(job: Job, id: string): Promise<{ batch: string; table: string }[]> {
  return job.options.database.query<{ batch: string; table: string }>(
    `SELECT p.batch_id::text AS batch, p.table_schema || '.' || p.table_name AS "table" FROM sluice.migration_publish p
     WHERE p.batch_id > $1 AND p.published_at IS NOT NULL AND p.rolled_back_at IS NULL
       AND (p.mode = 'replace' OR p.rows_inserted IS NULL OR p.rows_inserted + p.rows_updated + coalesce(p.rows_deleted, 0) > 0)
       AND p.table_schema || '.' || p.table_name = ANY ($2) ORDER BY p.batch_id`,
    [id, job.tables.map(({ schema, table }) => `${schema}.${table}`)],
  );
}

/** Throws usage `no_validations` where the pipeline declares none. */
export function assertValidations(pipeline: Pipeline): void {
  if ((pipeline.validations ?? []).length > 0) return;
  throw pipelineErrors.no_validations({ pipeline: pipeline.name });
}
