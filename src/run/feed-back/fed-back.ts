import { refused, usage } from '../../core/errors.js';
import type { FlowPlan } from '../../core/flow.js';
import { jsonText } from '../../core/json/write.js';
import { command } from '../../core/next.js';
import type { Pipeline } from '../../core/pipeline.js';
import type { Row } from '../../core/row.js';
import type { Run } from '../../core/run.js';
import type { Target } from '../../core/target.js';
import type { Source } from '../../core/types.js';
import { type Batch, findBatch } from '../../db/ledger/batches.js';
import { requireLedger } from '../../db/ledger/open.js';
import { claimRejects, type RejectFate, rejectFates } from '../../db/ledger/rejects.js';
import type { FeedBackFacts } from '../../db/ledger/run-record.js';
import { formatOf } from '../../sources/file.js';
import { withGiven } from '../given.js';
import { recordInputs, sameInput } from '../input-record.js';
import { Masking } from '../masking.js';
import { withQuietRun } from '../quiet-run.js';
import { keptRecord, keptText } from '../stored-reject.js';
import { alone, type Called, inPlace } from './corrected-source.js';
import { type CorrectedFile, type Correction, readCorrections } from './corrections.js';
import { declaredFacts } from './facts.js';
import { type FeedBackWay, feedBackStep, feedBackWay } from './way.js';

/** What a run that is given corrected rejects is made of. */
export interface FedBackRun {
  readonly pipeline: Pipeline;
  /** The batch whose rejects they are. */
  readonly batch: string;
  readonly files: readonly CorrectedFile[];
  /** The inputs that the batch was given; asked for where they are read again. */
  readonly originals: () => Promise<Readonly<Record<string, Source>>>;
}

/**
 * The corrected rejects of a batch as the inputs of a run (`--only-rejects-of`). Each row says by its `sluice_reject`
 * which one it is, so that none is published twice and nothing else comes in with them. How they are published,
 * `feedBackWay` decides.
 */
export class FedBack {
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
  static async open(of: FedBackRun, run: Parameters<typeof withQuietRun>[0]): Promise<FedBack> {
    await requireLedger(run.database);
    const batch = await findBatch(run.database, of.batch);
    const facts = { ...declaredFacts(of.pipeline), ...batch.run_record?.feedBack };
    assertGiven(of, batch, facts);
    const fates = await rejectFates(run.database, batch.id);
    if (fates.length === 0)
      throw usage('no_rejects', `batch ${batch.id} rejected nothing`, {
        next: command('status', [batch.id]),
      });
    const { way, inputs, claimed } = await withQuietRun(run, (quiet) => read(of, batch, facts, fates, quiet));
    const declared = of.pipeline.settings ?? {};
    const settings = Object.entries(batch.settings).filter(([name]) => Object.hasOwn(declared, name));
    const files = of.files.map(({ source }) => source.name);
    return new FedBack(batch.id, way, Object.fromEntries(settings), inputs, files, claimed);
  }

  /**
   * The pipeline as it publishes the corrected rows: beside the others they are added to a table that is replaced
   * else, so that what was written to it since stays.
   */
  publishing(pipeline: Pipeline): Pipeline {
    if (this.way === 'in place') return pipeline;
    const tables = Object.entries(pipeline.tables).map(([name, target]) => [name, adding(target)]);
    return { ...pipeline, tables: Object.fromEntries(tables) };
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
    const what = `${rejects} corrected ${rejects === 1 ? 'reject' : 'rejects'} of batch ${this.batch}`;
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

interface Inputs {
  readonly all: Readonly<Record<string, Source>>;
  readonly given: Readonly<Record<string, Source>>;
  readonly instead: ReadonlyMap<Source, Source>;
  readonly rejects: ReadonlyMap<string, number>;
}

interface Read {
  readonly way: 'beside' | 'in place';
  readonly inputs: Inputs;
  readonly claimed: readonly RejectFate[];
}

async function read(
  of: FedBackRun,
  batch: Batch,
  facts: FeedBackFacts,
  fates: readonly RejectFate[],
  run: Run,
): Promise<Read> {
  const { way: first } = assertWay(feedBackWay(batch, facts, []), batch);
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
  const { way } = assertWay(feedBackWay(batch, facts, given), batch);
  const by = fates.find((fate) => fate.corrected_by !== null)?.corrected_by;
  if (way === 'in place' && facts.adds.length > 0 && by !== undefined)
    throw refused('already_fed_back', `batch ${by} has published the input of batch ${batch.id}, corrected`, {
      state: 'nothing was written',
      next: [
        command('rejects', [String(by)], {}, { lead: 'its own rejects are fed back by themselves' }),
        command('rollback', [String(by)], {}, { lead: 'or undo it first' }),
      ],
    });
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

/** The inputs as the batch read them, with the corrected rows in the places of the rejected ones. */
async function wholeInputs(
  { pipeline, originals }: FedBackRun,
  batch: Batch,
  corrections: ReadonlyMap<string, readonly Correction[]>,
  run: Run,
): Promise<Inputs> {
  const given = await originals();
  const before = batch.run_record?.inputs ?? {};
  const declared = withGiven(pipeline, given);
  const now = await recordInputs(declared, given);
  const masking = new Masking(pipeline.mask, batch.run_record?.noSourceData);
  const all = Object.entries(declared).map(([name, source]) => {
    const untouched = sameInput(before[name], now[name]);
    const isSame = (was: Row | string | undefined, { raw }: Correction): boolean => {
      // A record that is not kept can be told by its line only, in a file that nobody has changed.
      if (raw === null) return untouched;
      if (typeof was !== 'object')
        return typeof raw === 'string' && (was === undefined || keptText(was) === raw);
      return jsonText(masking.kept(keptRecord(was) ?? {})) === jsonText(raw);
    };
    return [
      name,
      inPlace(source, calledAs(name, source, batch), corrections.get(name) ?? [], isSame),
    ] as const;
  });
  run.log.debug('rejects are corrected', { inputs: [...corrections.keys()] });
  const inputs = Object.fromEntries(all);
  const rejects = new Map([...corrections].map(([name, rows]) => [name, rows.length]));
  const named = Object.keys(given).map((name) => [name, inputs[name] as Source]);
  return { all: inputs, given: Object.fromEntries(named), instead: new Map(), rejects };
}

/**
 * The corrected rows alone. Stages that look something up in an input still see all of it; an input that is no more
 * than a place for a file (`absent`) stays one where it has no corrected rows, since pipelines leave out the flows of
 * those.
 */
function besideThem(
  { pipeline, files }: FedBackRun,
  batch: Batch,
  corrections: ReadonlyMap<string, readonly Correction[]>,
  whole: Inputs,
): Inputs {
  const given: Record<string, Source> = {};
  const instead = new Map<Source, Source>();
  for (const [name, input] of Object.entries(whole.all)) {
    const rows = corrections.get(name);
    if (rows !== undefined) {
      const source = alone({ ...calledAs(name, input, batch), ...placeOf(files) }, rows);
      given[name] = input;
      instead.set(input, source);
    } else if (Object.hasOwn(whole.given, name) && pipeline.inputs[name]?.absent !== true)
      given[name] = input;
  }
  return { all: given, given, instead, rejects: whole.rejects };
}

/** Rejects call an input what the batch called it, so that a line is of the same file as ever. */
function calledAs(name: string, source: Source, batch: Batch): Called {
  const { kind, path, format, columns } = source;
  const file = path ?? (kind === 'file' ? source.name : undefined);
  return {
    name: rejectLabels(batch)[name] ?? source.name,
    kind,
    ...(file === undefined ? {} : { path: file }),
    ...(format === undefined ? {} : { format }),
    ...(columns === undefined ? {} : { columns }),
  };
}

/** Where the corrected rows are read from. */
function placeOf(files: readonly CorrectedFile[]): Pick<Called, 'kind' | 'path'> {
  const { kind, name } = (files[0] as CorrectedFile).source;
  return { kind, ...(kind === 'file' ? { path: name } : {}) };
}

/** The columns of every input whose rows all have the same. */
function fixedColumns(pipeline: Pipeline, batch: Batch): Record<string, readonly string[]> {
  const labels = rejectLabels(batch);
  const known = Object.keys(pipeline.inputs).flatMap((name) => {
    const columns = batch.input_columns?.[labels[name] ?? name];
    const { format, path } = batch.run_record?.inputs[name] ?? {};
    const isJson = format === 'json' || ['json', 'jsonl'].includes(formatOf(path ?? '') ?? '');
    return columns === undefined || isJson ? [] : [[name, columns] as const];
  });
  return Object.fromEntries(known);
}

/** What the rejects of a batch call its inputs, by their names in the pipeline. */
export function rejectLabels({ run_record }: Pick<Batch, 'run_record'>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(run_record?.inputs ?? {}).flatMap(([name, { label }]) =>
      label === undefined ? [] : [[name, label]],
    ),
  );
}

function assertGiven({ pipeline, files }: FedBackRun, batch: Batch, facts: FeedBackFacts): void {
  const { id } = batch;
  if (batch.pipeline !== pipeline.name)
    throw usage('other_pipeline', `batch ${id} was a run of "${batch.pipeline}", not of "${pipeline.name}"`, {
      next: feedBackStep(batch, facts, files[0]?.source.name ?? 'fixed.csv'),
    });
  if (files.length === 0)
    throw usage('no_corrected_rows', '--only-rejects-of reads corrected rows from a file', {
      next: [
        command('rejects', [id], { format: 'csv' }, { to: 'fixed.csv' }),
        feedBackStep(batch, facts, 'fixed.csv').saying({ lead: 'correct it, then' }),
      ],
    });
}

function assertWay(way: FeedBackWay, { id }: Batch): Exclude<FeedBackWay, { way: 'none' }> {
  if (way.way !== 'none') return way;
  throw refused(way.code, `rejects of batch ${id} cannot be fed back: ${way.why}`, {
    state: 'nothing was written',
    next: way.next,
  });
}
