import { fileErrors } from '../../core/errors/catalogue/files.js';
import { endsOf, type FlowPlan } from '../../core/flow.js';
import type { Pipeline } from '../../core/pipeline.js';
import type { Source } from '../../core/types.js';
import type { RunOptions } from './options.js';

/**
 * Whether a run of `pipeline` publishes anything: it has tables, or what only a publish has. One that publishes nothing
 * has no batch, and needs neither a ledger nor a database.
 */
export function publishes(pipeline: Pipeline): boolean {
  const { tables, validations = [], views = [], guards, compatibility, backup } = pipeline;
  const more = [guards, compatibility, backup].some((each) => each !== undefined);
  return more || Object.keys(tables).length + validations.length + views.length > 0;
}

/**
 * Whether a run is known to need a database: it publishes, reads a query, or its mappings are in the ledger. What stages
 * ask for nobody knows beforehand. `inputs`: sources in place of the pipeline's own.
 */
export function needsDatabase(pipeline: Pipeline, inputs: Readonly<Record<string, Source>>): boolean {
  const read = Object.values({ ...pipeline.inputs, ...inputs });
  return publishes(pipeline) || pipeline.mappings !== undefined || read.some(({ kind }) => kind === 'query');
}

/** What a run may be told; a program and the command line ask before they open anything. */
type Told = { readonly [Name in Exclude<keyof RunOptions, 'queue'>]?: RunOptions[Name] | undefined };

/** What of a run is about tables or a batch, by the flag that asks for it. */
const OF_TABLES: readonly (readonly [string, (options: Told) => boolean])[] = [
  ['resume', ({ resume }) => resume !== undefined],
  ['noSwap', ({ publish }) => publish === false],
  ['rehearse', ({ rehearse }) => rehearse === true],
  ['onlyRejectsOf', ({ onlyRejectsOf }) => onlyRejectsOf !== undefined],
  ['keepStaging', ({ keepStaging }) => keepStaging === true],
  ['guard', ({ guard }) => guard === 'lock'],
  ['records', ({ records }) => records !== undefined && records !== 'none'],
  ['noTriggers', ({ noTriggers }) => noTriggers === true],
  ['allowEmpty', ({ allowEmpty }) => allowEmpty === true],
  ['maxShrink', ({ maxShrink }) => maxShrink !== undefined],
  ['allowSuppressed', ({ allowSuppressed }) => allowSuppressed === true],
  ['rewriteOids', ({ rewriteOids }) => rewriteOids === true],
  ['runOwnersCode', ({ runOwnersCode }) => runOwnersCode === true],
  ['threads', ({ threads = 0 }) => threads > 0],
  ['workers', ({ workers }) => workers === true],
];

/** Throws usage `only_of_tables` where a run that publishes nothing is told something that is about tables. */
export function assertOther(options: Told): void {
  const told = OF_TABLES.find(([, isTold]) => isTold(options));
  if (told !== undefined) throw fileErrors.only_of_tables({ option: told[0] });
}

/** Throws usage `files_with_staging` where a run that only stages would make files: they get their names with a publish. */
export function assertPublished(flows: readonly FlowPlan[]): void {
  const path = flows
    .flatMap(({ root }) => endsOf(root))
    .map((end) => ('path' in end ? end.path : undefined))
    .find((each) => each !== undefined);
  if (path !== undefined) throw fileErrors.files_with_staging({ path });
}
