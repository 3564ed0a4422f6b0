import { formatOfName, type TextFormat } from '../../../sinks/files/format.js';
import { assertFree, fileNames, namesApart } from '../../../sinks/files/names.js';
import { csvFile, jsonlFile, stdout } from '../../../sinks/files/rows-out.js';
import { exportErrors } from '../../core/errors/catalogue/export.js';
import type { Branch } from '../../core/flow.js';
import type { Pipeline } from '../../core/pipeline.js';
import type { Target } from '../../core/target.js';
import type { Sink } from '../../core/types.js';

/** Where the rows of a pipeline go instead of its tables. */
export interface IntoFiles {
  /** A file, packed if its name ends in .gz or .zst (%t: the table), a folder, or `-`, stdout. */
  readonly into: string;
  /** Default: what the file's name says, else CSV. */
  readonly format?: TextFormat;
  /** Write over files that are there. Default: refuse. */
  readonly overwrite?: boolean;
}

/**
 * `pipeline` with a file in the place of each table: the same inputs, flows, stages, settings, and none of what is about
 * tables (checks, validations, guards, views, records); it publishes nothing. Throws usage `export_options` where the
 * names do not fit, or there is no table, and `export_exists`.
 */
export function intoFiles(pipeline: Pipeline, wanted: IntoFiles): Pipeline {
  const { name, summary, inputs, settings, mappings, mask, system, figures, tables } = pipeline;
  const sinks = sinksFor(pipeline, wanted);
  const live = (table: string) => {
    throw exportErrors.export_options.live({ pipeline: name, table });
  };
  return {
    ...{ name, summary, inputs, tables: {} },
    ...(settings === undefined ? {} : { settings }),
    ...(mappings === undefined ? {} : { mappings }),
    ...(mask === undefined ? {} : { mask }),
    ...(system === undefined ? {} : { system }),
    ...(figures === undefined ? {} : { figures }),
    flows: (given) =>
      pipeline
        .flows({ ...given, tables, live })
        .map((plan) => ({ ...plan, root: endingIn(plan.root, sinks) })),
  };
}

/** What of a pipeline is not asked where its rows go into files: the names of its checks and validations. */
export function unaskedOf({ checks = [], validations = [] }: Pipeline): string[] {
  return [...checks, ...validations].map(({ name }) => name);
}

function endingIn(branch: Branch, sinks: ReadonlyMap<Target | Sink, Sink>): Branch {
  const { into, fork } = branch;
  if (into !== undefined) return { ...branch, into: sinks.get(into) ?? into };
  return { ...branch, fork: (fork ?? []).map((each) => endingIn(each, sinks)) };
}

function sinksFor(pipeline: Pipeline, wanted: IntoFiles): Map<Target | Sink, Sink> {
  const { export_options: no } = exportErrors;
  const { into, overwrite = false } = wanted;
  const targets = Object.values(pipeline.tables);
  const format = wanted.format ?? formatOfName(into) ?? 'csv';
  if (targets.length === 0) throw no.noTables({ pipeline: pipeline.name });
  if (format === 'parquet') throw no.rowsAsParquet();
  if (into.includes('%n')) throw no.fileEach();
  if (targets.length > 1 && into === STDOUT) throw no.severalToStdout({ format });
  const named = targets.map((target) => ({ target, names: fileNames(into, target.table, format, false) }));
  const names = named.map((each) => each.names);
  if (into !== STDOUT) namesApart(names, into);
  if (into !== STDOUT && !overwrite) assertFree(names, false);
  return new Map(
    named.map(({ target, names }) => {
      // Which columns are filled only the database would know.
      const { columns } = pipeline.fills === undefined ? target : {};
      const of = { ...(columns === undefined ? {} : { columns }), overwrite };
      if (into === STDOUT) return [target, stdout({ ...of, format })];
      return [target, (format === 'csv' ? csvFile : jsonlFile)(names.path(1), of)];
    }),
  );
}

const STDOUT = '-';
