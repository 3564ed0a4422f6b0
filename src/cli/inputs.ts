import { usage } from '../core/errors.js';
import type { Pipeline } from '../core/pipeline.js';
import type { Source } from '../core/types.js';
import type { PgDatabase } from '../db/connect.js';
import { findBatch } from '../db/ledger/batches.js';
import { requireLedger } from '../db/ledger/open.js';
import { fileSource } from '../sources/file.js';
import { isSqliteFile, isSqliteName } from '../sources/sqlite/header.js';
import { type PipelineFlags, pairs } from './flags.js';

/**
 * The sources given by --input and --source, in place of the pipeline's own: each must have the columns
 * that the pipeline relies on. An SQLite file given by --source is read by every input that can read one.
 * Throws usage errors for names that are not inputs, stdin given twice, and an SQLite file for an input that cannot
 * read it.
 */
export async function givenInputs(
  pipeline: Pipeline,
  flags: Pick<PipelineFlags, 'input' | 'source'>,
): Promise<Record<string, Source>> {
  const given = pairs('--input', flags.input);
  if (flags.source !== undefined)
    for (const name of await meantBySource(pipeline, flags.source)) given[name] ??= flags.source;
  const stdin = Object.keys(given).filter((name) => given[name] === '-');
  if (stdin.length > 1)
    throw usage('stdin_twice', `stdin cannot be both ${stdin.join(' and ')}`, {
      next: 'give all but one as files',
    });
  const sources = Object.entries(given).map(
    async ([name, path]): Promise<[string, Source]> => [name, await sourceFor(pipeline, name, path)],
  );
  return Object.fromEntries(await Promise.all(sources));
}

/** The inputs that `--source` means: the only one, or all that an SQLite file can give. */
async function meantBySource(pipeline: Pipeline, path: string): Promise<string[]> {
  const names = Object.keys(pipeline.inputs);
  if (names.length === 1) return names;
  if (await isSqlite(path)) {
    const able = names.filter((name) => pipeline.inputs[name]?.fromSqlite !== undefined);
    if (able.length > 0) return able;
  }
  throw usage(
    'which_input',
    `the pipeline "${pipeline.name}" has ${names.length} inputs: --source does not say which`,
    { next: names.map((name) => `--input ${name}=${path}`) },
  );
}

async function sourceFor(pipeline: Pipeline, name: string, path: string): Promise<Source> {
  const declared = pipeline.inputs[name];
  if (await isSqlite(path)) {
    if (declared?.fromSqlite !== undefined) return declared.fromSqlite(path);
    if (declared !== undefined)
      throw usage(
        'not_from_sqlite',
        `the input ${name} does not say what to read out of an SQLite file (${path})`,
        {
          input: name,
          next: `export the rows as CSV: sqlite3 -header -csv ${path} "SELECT …" > ${name}.csv`,
        },
      );
  }
  return fileSource(path, declared?.columns === undefined ? {} : { columns: declared.columns });
}

/** Told by the file's first bytes, or by its name where it cannot be read; then the reading says why. */
const isSqlite = async (path: string) => isSqliteName(path) || (await isSqliteFile(path));

/**
 * The sources of a run that goes on with `batch`: the files that it was given then, unless others are named
 * now (the same file may have been moved). Throws what `givenInputs` and `findBatch` throw.
 */
export async function resumedInputs(
  database: PgDatabase,
  pipeline: Pipeline,
  batch: string,
  flags: PipelineFlags,
): Promise<Record<string, Source>> {
  if (flags.source !== undefined || flags.input.length > 0) return givenInputs(pipeline, flags);
  await requireLedger(database);
  const { inputs = {} } = (await findBatch(database, batch)).run_record ?? {};
  const input = Object.entries(inputs).flatMap(([name, { given, path }]) =>
    given && path !== undefined ? [`${name}=${path}`] : [],
  );
  return givenInputs(pipeline, { ...flags, input });
}
