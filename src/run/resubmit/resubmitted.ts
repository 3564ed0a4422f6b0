import { pipelineErrors } from '../../core/errors/catalogue/pipelines.js';
import { resubmitErrors } from '../../core/errors/catalogue/resubmit.js';
import type { FlowPlan } from '../../core/flow.js';
import type { Pipeline } from '../../core/pipeline.js';
import { plural } from '../../core/plural.js';
import type { Run } from '../../core/run.js';
import type { Target } from '../../core/target.js';
import type { Source } from '../../core/types.js';
import { type Batch, findBatch } from '../../db/ledger/batches.js';
import { requireLedger } from '../../db/ledger/open.js';
import { replacedSince } from '../../db/ledger/published.js';
import { claimRejects, type RejectFate, rejectFates } from '../../db/ledger/reject-fates.js';
import type { ResubmitFacts } from '../../db/ledger/run-manifest.js';
import { ourDatabase } from '../../db/users-path.js';
import { withQuietRun } from '../inputs/quiet-run.js';
import {
  besideThem,
  fixedColumns,
  type Inputs,
  type ResubmittedRun,
  rejectLabels,
  wholeInputs,
} from './corrected-inputs.js';
import { readCorrections } from './corrections.js';
import { declaredFacts } from './facts.js';
import { type ResubmitWay, resubmitStep, resubmitWay } from './way.js';

/**
 * The corrected rejects of a batch as the inputs of a run (`--only-rejects-of`). Each row says by its `sluice_reject`
 * which one it is, so that none is published twice and nothing else comes in with them. How they are published,
 * `resubmitWay` decides.
 */
export class Resubmitted {
  /** What the flows are built of. */
  readonly inputs: Readonly<Record<string, Source>>;
  /** Those of them that stand in the place of declared ones. */
  readonly given: Readonly<Record<string, Source>>;
  /** beside: what the flows of corrected inputs read, by the source that they are built of. */
  readonly #instead: ReadonlyMap<Source, Source>;
  readonly #byRow = new Map<string, RejectFate>();
  /** Corrected rows by input. */
  readonly #rejects: ReadonlyMap<string, number>;

  private constructor(
    readonly batch: string,
    readonly way: 'beside' | 'in place',
    /** The settings of the batch, as far as the pipeline still has them. */
    readonly settings: Readonly<Record<string, string>>,
    { all, given, instead, rejects }: Inputs,
    /** The corrected files, as they were named. */
    readonly files: readonly string[],
    /** The rejects that are corrected, and others of the same rows. */
    private readonly claimed: readonly RejectFate[],
  ) {
    this.inputs = all;
    this.given = given;
    this.#instead = instead;
    this.#rejects = rejects;
    for (const fate of claimed) if (!this.#byRow.has(rowOf(fate))) this.#byRow.set(rowOf(fate), fate);
  }

  /** Reads the corrected files, and throws usage and refused errors for what cannot be published, with the way out. */
  static async open(of: ResubmittedRun, run: Parameters<typeof withQuietRun>[0]): Promise<Resubmitted> {
    await requireLedger(run.database);
    const batch = await findBatch(run.database, of.batch);
    const facts = { ...declaredFacts(of.pipeline), ...batch.manifest?.resubmit };
    assertGiven(of, batch, facts);
    const fates = await rejectFates(run.database, batch.id);
    if (fates.length === 0) throw resubmitErrors.no_rejects({ batch: batch.id });
    const { way, inputs, claimed } = await withQuietRun(run, (quiet) => read(of, batch, facts, fates, quiet));
    const declared = of.pipeline.settings ?? {};
    const settings = Object.entries(batch.settings).filter(([name]) => Object.hasOwn(declared, name));
    const files = of.files.map(({ source }) => source.name);
    return new Resubmitted(batch.id, way, Object.fromEntries(settings), inputs, files, claimed);
  }

  /**
   * The pipeline as it publishes the corrected rows: beside the others they are added to a table that is replaced
   * else, so that what was written to it since stays.
   */
  publishing(pipeline: Pipeline): Pipeline {
    if (this.way === 'in place') return pipeline;
    const tables = Object.entries(pipeline.tables).map(([name, target]) => [name, adding(target)]);
    const summary = `publish the corrected rejects of batch ${this.batch} beside the rows that it published`;
    return { ...pipeline, summary, tables: Object.fromEntries(tables) };
  }

  /** The flows that are followed: all, or those of corrected inputs; what the others read is published already. */
  flows(all: readonly FlowPlan[]): FlowPlan[] {
    if (this.way === 'in place') return [...all];
    return all.flatMap((flow) => {
      const source = this.#instead.get(flow.source);
      return source === undefined ? [] : [{ ...flow, source }];
    });
  }

  /** Where an input's rows come from, as a plan says it; undefined where nothing of it is corrected. */
  describe(name: string): string | undefined {
    const rejects = this.#rejects.get(name) ?? 0;
    if (rejects === 0) return undefined;
    const what = `${plural(rejects, 'corrected reject')} of batch ${this.batch}`;
    return this.way === 'beside' ? what : `${this.inputs[name]?.name}, with ${what}`;
  }

  /** The name of the input that a flow of `flows` reads. */
  inputOf(source: Source): string | undefined {
    return Object.keys(this.inputs).find((name) => {
      const input = this.inputs[name] as Source;
      return input === source || this.#instead.get(input) === source;
    });
  }

  /** Notes in the ledger which rejects the rows of batch `by` are. */
  async claim(database: Run['database'], by: string): Promise<void> {
    const numbers = this.claimed.map(({ number }) => number);
    await claimRejects(database, this.batch, numbers, by);
  }

  /** The reject that the corrected row at a line of an input was. */
  rejectAt(
    input: string,
    line: number | null,
  ): { readonly batch: string; readonly number: number } | undefined {
    const fate = line === null ? undefined : this.#byRow.get(rowOf({ input, line }));
    return fate === undefined ? undefined : { batch: this.batch, number: fate.number };
  }
}

function adding(target: Target): Target {
  if (target.mode !== 'replace') return target;
  const { omit: _, ...rest } = target;
  return { ...rest, mode: 'append' };
}

interface Read {
  readonly way: 'beside' | 'in place';
  readonly inputs: Inputs;
  readonly claimed: readonly RejectFate[];
}

async function read(
  of: ResubmittedRun,
  batch: Batch,
  facts: ResubmitFacts,
  fates: readonly RejectFate[],
  run: Run,
): Promise<Read> {
  const { way: first } = assertWay(resubmitWay(batch, facts, []), batch);
  const corrections = await readCorrections(
    of.files,
    {
      batch: batch.id,
      fates: new Map(fates.map((fate) => [fate.number, fate])),
      labels: rejectLabels(batch),
      columns: fixedColumns(of.pipeline, batch),
      once: facts.adds.length > 0 || first === 'beside',
      masked: first === 'in place',
    },
    run,
  );
  const numbers = new Set([...corrections.values()].flat().map(({ number }) => number));
  const given = fates.filter(({ number }) => numbers.has(number));
  const { way } = assertWay(resubmitWay(batch, facts, given), batch);
  const by = fates.find((fate) => fate.corrected_by !== null)?.corrected_by;
  if (way === 'in place' && facts.adds.length > 0 && by !== undefined)
    throw resubmitErrors.already_resubmitted.batch({ batch: batch.id, by: String(by) });
  if (way === 'beside') await assertStands(ourDatabase(run.database), batch, facts);
  const rows = new Set(given.map(rowOf));
  const claimed = fates.filter(
    (fate) => numbers.has(fate.number) || (fate.line !== null && rows.has(rowOf(fate))),
  );
  const whole = await wholeInputs(of, batch, corrections, run);
  return {
    way,
    inputs: way === 'in place' ? whole : besideThem(of, batch, corrections, whole),
    claimed,
  };
}

const rowOf = ({ input, line }: Pick<RejectFate, 'input' | 'line'>) => `${line} of ${input}`;

/** Rows of a batch whose others were replaced since would be strangers in its tables. */
async function assertStands(database: Run['database'], batch: Batch, facts: ResubmitFacts): Promise<void> {
  const since = await replacedSince(database, batch.id);
  if (since === undefined) return;
  throw resubmitErrors.replaced_since({
    batch: batch.id,
    since: since.batch,
    table: since.table,
    resubmit: resubmitStep(batch, facts, 'fixed.csv'),
  });
}

function assertGiven({ pipeline, files }: ResubmittedRun, batch: Batch, facts: ResubmitFacts): void {
  const { id } = batch;
  if (batch.pipeline !== pipeline.name)
    throw pipelineErrors.other_pipeline.ofRejects({
      batch: id,
      pipeline: batch.pipeline,
      given: pipeline.name,
      resubmit: resubmitStep(batch, facts, files[0]?.source.name ?? 'fixed.csv'),
    });
  if (files.length === 0)
    throw resubmitErrors.no_corrected_rows({ batch: id, resubmit: resubmitStep(batch, facts, 'fixed.csv') });
}

/** Why rejects cannot be given back by themselves, as errors. */
const WAY_REFUSALS = {
  at_source: resubmitErrors.at_source,
  not_published: resubmitErrors.not_published.rejects,
  rejects_of_rejects: resubmitErrors.rejects_of_rejects,
  read_once: resubmitErrors.read_once.rejects,
  whole_table: resubmitErrors.whole_table,
};

function assertWay(way: ResubmitWay, { id }: Batch): Exclude<ResubmitWay, { way: 'none' }> {
  if (way.way !== 'none') return way;
  throw WAY_REFUSALS[way.code]({ batch: id, why: way.why, next: way.next });
}
