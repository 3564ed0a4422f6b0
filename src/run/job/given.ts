import type { FieldMapping } from '../../core/mapping.js';
import type { NewTable, Pipeline } from '../../core/pipeline.js';
import type { Source } from '../../core/types.js';
import { standingViews } from '../../db/ledger/views.js';
import type { RunOptions } from '../given/options.js';
import { replacedIn, settled, withGiven } from '../given/settings.js';
import { resolveTables, resolveWatched } from '../given/tables.js';
import { withQuietRun } from '../inputs/quiet-run.js';
import { deletedFrom, recognised } from '../resubmit/rejects-given.js';
import { Resubmitted } from '../resubmit/resubmitted.js';

/** The tables that the pipeline guards besides, as these inputs and settings want it. */
function guardsOf(pipeline: Pipeline, options: RunOptions): readonly string[] {
  const { guards = [] } = pipeline;
  const { settings = {} } = options;
  if (typeof guards !== 'function') return guards;
  return guards({ settings: settled(pipeline, settings), replaced: replacedIn(options) });
}

/** What the pipeline says of its tables once it has looked at the database: what a run fills, and how they are made. */
export async function asked(
  pipeline: Pipeline,
  options: RunOptions,
  given: { readonly settings: Record<string, string>; readonly mappings: readonly FieldMapping[] },
): Promise<Pick<RunOptions, 'fills'> & { readonly creates: Readonly<Record<string, NewTable>> }> {
  const { fills, creates } = pipeline;
  if (fills === undefined && creates === undefined) return { creates: {} };
  return withQuietRun({ ...options, settings: given.settings }, async (run) => {
    const filled = options.fills ?? (await fills?.({ ...given, run }));
    return { ...(filled === undefined ? {} : { fills: filled }), creates: (await creates?.(run)) ?? {} };
  });
}

/** The inputs as given and declared; a file of rejects among them is known as one. */
export function plainInputs(pipeline: Pipeline, { inputs = {} }: RunOptions): Record<string, Source> {
  const named = Object.entries(withGiven(pipeline, inputs)).map(
    ([name, source]) =>
      [name, recognised(source, pipeline.name, deletedFrom(Object.values(pipeline.tables)))] as const,
  );
  return Object.fromEntries(named);
}

/** The corrected rejects, where they are resubmitted, and the options with the inputs and settings of their batch. */
export async function openResubmitted(pipeline: Pipeline, options: RunOptions) {
  const { onlyRejectsOf: batch, inputs = {}, corrected = [] } = options;
  if (batch === undefined) return { resubmitted: undefined, options };
  const resubmitted = await Resubmitted.open(
    {
      pipeline,
      batch,
      files: [
        ...Object.entries(inputs).map(([input, source]) => ({ input, source })),
        ...corrected.map((source) => ({ input: undefined, source })),
      ],
      originals: options.originals ?? (async () => ({})),
    },
    options,
  );
  const settings = { ...resubmitted.settings, ...options.settings };
  return { resubmitted, options: { ...options, inputs: resubmitted.given, settings } };
}

/** The tables that the pipeline publishes and guards, as they are now. */
export async function findTables(
  pipeline: Pipeline,
  creates: Readonly<Record<string, NewTable>>,
  options: RunOptions,
) {
  const { database } = options;
  const tables = await resolveTables(database, Object.entries(pipeline.tables), Object.keys(creates));
  const missing = tables.filter((table) => table.missing === true).map(({ target }) => target.table);
  const ours =
    pipeline.compatibility === undefined
      ? new Set<number>()
      : new Set((await standingViews(database)).map(({ oid }) => oid));
  const readsFiles = Object.values(pipeline.inputs).some(({ fromSqlite }) => fromSqlite !== undefined);
  const watched = await resolveWatched(database, guardsOf(pipeline, options), {
    missing,
    ours,
    ...(readsFiles ? { whenMissing: 'or name the SQLite file that the old system is (--source)' } : {}),
  });
  return { tables, watched };
}
