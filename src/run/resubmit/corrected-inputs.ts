import type { Around } from '../../core/input-bytes.js';
import { jsonText } from '../../core/json/write.js';
import type { Pipeline } from '../../core/pipeline.js';
import type { Row } from '../../core/row.js';
import type { Source } from '../../core/types.js';
import type { Batch } from '../../db/ledger/batches.js';
import { storableValue } from '../../db/ledger/storable.js';
import { formatOf, hasColumns } from '../../sources/format.js';
import { Masking } from '../given/masking.js';
import { withGiven } from '../given/settings.js';
import { recordInputs, sameInput } from '../inputs/fingerprint.js';
import { keptRecord, keptText } from '../rejects/stored-reject.js';
import { alone, type Called, inPlace } from './corrected-source.js';
import type { CorrectedFile, Correction } from './corrections.js';

/** What a run that is given corrected rejects is made of. */
export interface ResubmittedRun {
  readonly pipeline: Pipeline;
  /** The batch whose rejects they are. */
  readonly batch: string;
  readonly files: readonly CorrectedFile[];
  /** The inputs that the batch was given; asked for where they are read again. */
  readonly originals: () => Promise<Readonly<Record<string, Source>>>;
}

/** The inputs of a run that is given corrected rejects. */
export interface Inputs {
  /** What the flows are built of. */
  readonly all: Readonly<Record<string, Source>>;
  /** Those of them that stand in the place of declared ones. */
  readonly given: Readonly<Record<string, Source>>;
  /** What flows read instead of the input that they are built of. */
  readonly instead: ReadonlyMap<Source, Source>;
  /** Corrected rows by input. */
  readonly rejects: ReadonlyMap<string, number>;
}

/** The inputs as the batch read them, with the corrected rows in the places of the rejected ones. */
export async function wholeInputs(
  { pipeline, originals }: ResubmittedRun,
  batch: Batch,
  corrections: ReadonlyMap<string, readonly Correction[]>,
  around: Around,
): Promise<Inputs> {
  const given = await originals();
  const before = batch.manifest?.inputs ?? {};
  const declared = withGiven(pipeline, given);
  const now = await recordInputs(declared, given, around);
  const masking = new Masking(pipeline.mask, batch.manifest?.noSourceData);
  const all = Object.entries(declared).map(([name, source]) => {
    const untouched = sameInput(before[name], now[name]);
    const isSame = (was: Row | string | undefined, { raw }: Correction): boolean => {
      // A record that is not kept can be told by its line only, in a file that nobody has changed.
      if (raw === null) return untouched;
      if (typeof was !== 'object')
        return typeof raw === 'string' && (was === undefined || asStored(keptText(was)) === asStored(raw));
      return asStored(masking.kept(keptRecord(was) ?? {})) === asStored(raw);
    };
    return [
      name,
      inPlace(source, calledAs(name, source, batch), corrections.get(name) ?? [], isSame),
    ] as const;
  });
  const inputs = Object.fromEntries(all);
  const rejects = new Map([...corrections].map(([name, rows]) => [name, rows.length]));
  const named = Object.keys(given).map((name) => [name, inputs[name] as Source]);
  return { all: inputs, given: Object.fromEntries(named), instead: new Map(), rejects };
}

/** Earlier versions did not keep what the server's text cannot hold: compared is what it holds. */
const asStored = (value: unknown) => jsonText(storableValue(value));

/**
 * The corrected rows alone. Stages that look something up in an input still see all of it; an input that is no more
 * than a place for a file (`absent`) stays one where it has no corrected rows, since pipelines leave out the flows of
 * those.
 */
export function besideThem(
  { pipeline, files }: ResubmittedRun,
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
export function fixedColumns(pipeline: Pipeline, batch: Batch): Record<string, readonly string[]> {
  const labels = rejectLabels(batch);
  const known = Object.keys(pipeline.inputs).flatMap((name) => {
    const columns = batch.input_columns?.[labels[name] ?? name];
    const { format, path, kind } = batch.manifest?.inputs[name] ?? {};
    const isJson = !hasColumns(format ?? formatOf(path ?? ''));
    // Rows in memory may lack columns, as records of JSON may.
    return columns === undefined || isJson || kind === 'memory' ? [] : [[name, columns] as const];
  });
  return Object.fromEntries(known);
}

/** What the rejects of a batch call its inputs, by their names in the pipeline. */
export function rejectLabels({ manifest }: Pick<Batch, 'manifest'>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(manifest?.inputs ?? {}).flatMap(([name, { label }]) =>
      label === undefined ? [] : [[name, label]],
    ),
  );
}
