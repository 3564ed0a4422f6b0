import { resolve } from 'node:path';
import { copyErrors } from '../core/errors/catalogue/copy.js';
import { isRemote, shownUrl } from '../core/input-url.js';
import type { Stage } from '../core/types.js';
import type { Batch } from '../db/ledger/batches.js';
import { rejectColumns } from '../db/ledger/rejects.js';
import { readings } from '../db/table-name.js';
import { STDIN } from '../sources/bytes/open.js';
import { fileSource, formatFor } from '../sources/file.js';
import { hasColumns } from '../sources/format.js';
import { asWritten } from './as-written.js';
import type { Proposal } from './create.js';
import { optionsAs } from './file-options.js';
import { matchColumns } from './match.js';
import type { MatchedTable } from './match-options.js';
import { type CopyInput, copyPipeline, inputNames, targetOfBatch } from './pipeline.js';
import { destination, type PreparedCopy, renames } from './prepare.js';
import type { CopyRequest } from './request.js';
import { schemaStage } from './schema-file.js';
import { type Shape, toShape } from './shape.js';
import type { Surroundings } from './silent-run.js';

/** The request as the ledger keeps it: its files can be found from anywhere. */
export function keptRequest(request: CopyRequest): Readonly<Record<string, unknown>> {
  const { schema } = request;
  return {
    ...request,
    files: request.files.map((path) =>
      path === STDIN ? path : isRemote(path) ? shownUrl(path) : resolve(path),
    ),
    ...(schema === undefined ? {} : { schema: resolve(schema) }),
  };
}

/** What a command says besides the files, in its own words: the flag, and whether the batch's copy said the same. */
const SAID = {
  mode: '--mode',
  key: '--key',
  map: '--map',
  skip: '--skip-columns',
  omit: '--omit',
  columns: '--columns',
  at: '--at',
  table: '--table',
  query: '--query',
  sheet: '--sheet',
  schema: '--schema',
} as const satisfies Partial<Record<keyof CopyRequest, string>>;

/** Whether `into` names, with its schema, the very table that the ledger has. */
function sameTable(into: string, table: string | undefined): boolean {
  const [kept] = table === undefined ? [] : readings(table);
  return readings(into).some((each) => each.schema === kept?.schema && each.table === kept?.table);
}

/** The flag as commands have it as data. */
const dropped = (name: keyof typeof SAID) => (name === 'skip' ? 'skipColumns' : name);

/**
 * The request of the copy that `batch` was, for resubmitting its corrected rejects: `given` may say the same, or
 * nothing, of the table and its columns. Throws usage `not_a_copy`, `other_table`, `other_options`.
 */
export function requestOfBatch(batch: Batch, given: CopyRequest): CopyRequest {
  const kept = batch.manifest?.copy as CopyRequest | undefined;
  const { id } = batch;
  if (kept === undefined)
    throw batch.settings.into === undefined
      ? copyErrors.not_a_copy.run({
          batch: id,
          pipeline: batch.pipeline,
          from: batch.pipeline_from,
          file: given.files[0] ?? 'fixed.csv',
        })
      : copyErrors.not_a_copy.earlierVersion({ batch: id });
  if (given.into !== kept.into && !sameTable(given.into, batch.settings.into))
    throw copyErrors.other_table({
      batch: id,
      table: batch.settings.into,
      given: given.into,
      into: kept.into,
    });
  for (const name of Object.keys(SAID) as (keyof typeof SAID)[]) {
    const said = name === 'schema' && given.schema !== undefined ? resolve(given.schema) : given[name];
    if (said === undefined || JSON.stringify(said) === JSON.stringify(kept[name])) continue;
    if (name === 'mode' && said === 'append' && kept.mode === undefined) continue;
    throw copyErrors.other_options({ batch: id, flag: SAID[name], drop: dropped(name) });
  }
  return kept;
}

/**
 * The copy that `batch` was as a pipeline, for its corrected rejects: no file is opened, since the rejected rows may be
 * all that is read. `request` as `requestOfBatch` gives it; with `proposal`, the table is made of that. Throws what finding
 * the table throws.
 */
export async function prepareResubmitted(
  request: CopyRequest,
  batch: Batch,
  from: string,
  around: Surroundings,
  proposal?: Proposal,
): Promise<PreparedCopy> {
  const table = await destination(request, around, proposal);
  const into = targetOfBatch(batch);
  const check = request.schema === undefined ? [] : [await schemaStage(request.schema)];
  const target = { ...table, mode: into.mode, key: into.key };
  const inputs: CopyInput[] = [];
  for (const [at, path] of request.files.entries()) {
    const name = inputNames(request.files.length)[at] as string;
    const label = batch.manifest?.inputs[name]?.label ?? path;
    // Where neither the name nor an option says it, what the first bytes said then.
    const format = formatFor(path, request) ?? batch.manifest?.inputs[name]?.format;
    const isJson = !hasColumns(format);
    const rename = (names: readonly string[]) =>
      renames(matchColumns(label, names, target, { ...request, mode: into.mode, key: into.key }), names);
    const options = optionsAs(format, path, request);
    const source = fileSource(path, isJson || check.length > 0 ? options : { ...options, map: rename });
    const known = [
      ...(batch.input_columns?.[label] ?? []),
      ...(await rejectColumns(around.database, batch.id, label)),
    ];
    const shape = shapeOf(request, into.columns, known, table, isJson);
    const own = new Map(into.columns.map((column) => [column, column]));
    const exact = (pairs: ReadonlyMap<string, string>) =>
      request.proposed === true ? [asWritten(pairs, table.columns, isJson ? 'json' : 'text')] : [];
    const stages: readonly Stage[] =
      isJson || check.length > 0 ? [...check, ...exact(shape.pairs), toShape(shape)] : exact(own);
    inputs.push({ source, stages });
  }
  return { pipeline: copyPipeline(inputs, into, { made: table.made }), from, release: async () => {} };
}

/** How rows of `known` columns came into the table's shape: each of its filled columns from the one that is called so. */
function shapeOf(
  { map = {}, skip = [] }: CopyRequest,
  filled: readonly string[],
  known: readonly string[],
  table: MatchedTable,
  isJson: boolean,
): Shape {
  const from = new Map(Object.entries(map).map(([name, to]) => [to, name]));
  const pairs = filled.map((column) => {
    const name = known.includes(column)
      ? column
      : known.find((each) => each.trim().toLowerCase() === column.toLowerCase());
    return [from.get(column) ?? name ?? column, column] as const;
  });
  const json = table.columns.filter(({ base }) => base === 'json' || base === 'jsonb');
  return {
    pairs: new Map(pairs),
    skipped: skip,
    ...(isJson ? { json: new Set(json.map(({ name }) => name)) } : {}),
  };
}
