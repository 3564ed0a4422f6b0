import type { Figures, OldSystem, Quality, QualityQuestion } from '../core/assessment.js';
import type { SluiceError } from '../core/errors/sluice-error.js';
import type { Pipeline } from '../core/pipeline.js';
import type { Run } from '../core/run.js';
import type { Source } from '../core/types.js';
import { readyToRead } from '../run/check/check.js';
import { type ForeseenRows, foresee } from '../run/check/foresee.js';
import { asFailure } from '../run/end/failure.js';
import type { RunOptions } from '../run/given/options.js';
import { settled, withGiven } from '../run/given/settings.js';
import { withQuietRun } from '../run/inputs/quiet-run.js';
import { Job } from '../run/job/job.js';
import { fromFiles, oldSystem, rowsOf } from '../sources/old-system.js';
import { catalogQuestions } from './catalog.js';

/** A question of data quality with its answer. */
export interface AssessedQuality
  extends Quality,
    Pick<QualityQuestion, 'kind' | 'name' | 'summary' | 'severity' | 'next'> {
  /** Whether the pipeline asks it, or the catalog raises it. */
  readonly by: 'pipeline' | 'catalog';
}

/** What a run would make of the rows. `refused`: the sentence with which it would refuse, null where it would not. */
export type AssessedRows =
  | (Omit<ForeseenRows, 'refused'> & { readonly refused: string | null })
  | { readonly why: string };

/** What an assessment found; plain data. */
export interface Assessed {
  readonly pipeline: string;
  readonly summary: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly system: Pick<OldSystem, 'kind' | 'name'>;
  /** `rejected`: records that could not be read. */
  readonly inputs: readonly {
    readonly name: string;
    readonly from: string;
    readonly rows: number;
    readonly rejected: number;
  }[];
  /** `rows` is null where there is no such table yet. */
  readonly tables: readonly {
    readonly name: string;
    readonly of: 'old' | 'target';
    readonly rows: number | null;
  }[];
  readonly quality: readonly AssessedQuality[];
  readonly figures: readonly (Figures & { readonly name: string; readonly summary: string })[];
  /** What a run would make of the rows; `why` not, where that could not be asked. */
  readonly rows: AssessedRows;
  readonly errors: number;
  readonly warnings: number;
}

/**
 * Looks at what a pipeline would read: counts the rows of its inputs and of all tables concerned, asks the questions
 * of data quality that it declares and those that the catalog raises, takes its figures, and reads every row as a dry run
 * does, so that what the run would reject is known. Everything sees one state of the old system; nothing is written. Throws what inputs, settings and the old system throw.
 */
export async function assessPipeline(
  pipeline: Pipeline,
  options: Pick<RunOptions, 'database' | 'inputs' | 'settings' | 'log' | 'signal' | 'events' | 'maxRejects'>,
): Promise<Assessed> {
  const inputs = withGiven(pipeline, options.inputs ?? {});
  const settings = settled(pipeline, options.settings ?? {});
  return withQuietRun({ ...options, settings }, async (run) => {
    const system = await oldSystem(inputs, run, true);
    const counted: Assessed['inputs'][number][] = [];
    for (const [name, source] of Object.entries(inputs)) {
      options.events?.phase?.('assess', `counting ${name}`);
      run.rejected = 0;
      const rows = await countRows(source, run);
      counted.push({ name, from: source.path ?? source.name, rows, rejected: run.rejected });
    }
    options.events?.phase?.('assess', `counting the tables of ${system.name}`);
    const tables = await countTables(pipeline, system, inputs, run);
    const here = tables.filter(({ of, rows }) => of === 'old' && rows !== null).map(({ name }) => name);
    const declared = pipeline.assess?.questions ?? [];
    const asked = fromFiles(inputs) ? [] : declared;
    const quality: AssessedQuality[] = [];
    const figures: Assessed['figures'][number][] = [];
    for (const question of asked) {
      options.events?.phase?.('assess', question.name);
      run.signal.throwIfAborted();
      const { name, summary } = question;
      if (question.kind === 'figures') figures.push({ name, summary, ...(await question.ask(system)) });
      else quality.push({ ...facts(question), by: 'pipeline', ...(await question.ask(system)) });
    }
    const known = new Set(quality.map(({ name }) => name));
    for (const question of await catalogQuestions(system, here)) {
      if (known.has(question.name)) continue;
      run.signal.throwIfAborted();
      quality.push({ ...facts(question), by: 'catalog', ...(await question.ask(system)) });
    }
    const rows = await assessRows(pipeline, { ...options, share: run.share });
    const grave = (severity: string) =>
      quality.filter((each) => each.offenders > 0 && each.severity === severity).length;
    return {
      pipeline: pipeline.name,
      summary: pipeline.summary,
      at: new Date().toISOString(),
      system: { kind: system.kind, name: system.name },
      inputs: counted,
      tables,
      quality,
      figures,
      rows,
      errors: grave('error') + ('refused' in rows && rows.refused !== null ? 1 : 0),
      warnings: grave('warning'),
    };
  });
}

/** Every row as a dry run reads it. What must be there for that may be missing long before the run. */
async function assessRows(pipeline: Pipeline, options: RunOptions): Promise<AssessedRows> {
  options.events?.phase?.('assess', 'reading, transforming and checking every row');
  let job: Job | undefined;
  try {
    job = await Job.prepare(pipeline, { ...options, dryRun: true });
    const ready = await readyToRead(job);
    const found = await foresee(job, ready);
    return 'why' in found ? found : { ...found, refused: found.refused?.message ?? null };
  } catch (error) {
    const told = asFailure(error, options.signal ?? new AbortController().signal);
    if (told.kind === 'interrupted' || told.kind === 'failed') throw error;
    return { why: whyNot(told) };
  } finally {
    await job?.clear();
  }
}

/** The sentence of a refusal; where it only counts its reasons, with them. */
function whyNot({ message, facts: { details = [] } }: SluiceError): string {
  const reasons = details.filter((detail) => !detail.startsWith(' '));
  return reasons.length === 0 ? message : `${message} (${reasons.join('; ')})`;
}

function facts({ kind, name, summary, severity, next }: QualityQuestion) {
  return { kind, name, summary, severity, ...(next === undefined ? {} : { next }) };
}

async function countRows(source: Source, run: Run): Promise<number> {
  await source.check?.(run);
  let rows = 0;
  for await (const chunk of source.read(run)) rows += chunk.length;
  return rows;
}

/** All tables of an SQLite file, those declared of a database; then the tables that the pipeline publishes. */
async function countTables(
  pipeline: Pipeline,
  system: OldSystem,
  inputs: Readonly<Record<string, Source>>,
  run: Run,
): Promise<Assessed['tables'][number][]> {
  const targets = Object.values(pipeline.tables).map(({ table }) => table);
  const declared = pipeline.assess?.tables ?? [];
  const old =
    system.kind === 'sqlite'
      ? (
          await system.query(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
          )
        ).map(({ name }) => name as string)
      : declared.length > 0 || fromFiles(inputs)
        ? declared
        : targets;
  const counts: Assessed['tables'][number][] = [];
  for (const name of new Set([...old, ...declared]))
    counts.push({ name, of: 'old', rows: (await rowsOf(system, name)) ?? null });
  const database = system.kind === 'sqlite' ? await oldSystem({}, run, true) : system;
  for (const name of targets)
    if (system.kind === 'sqlite' || !counts.some((each) => each.name === name))
      counts.push({ name, of: 'target', rows: (await rowsOf(database, name)) ?? null });
  return counts;
}
