import { SluiceError } from '../../core/errors/sluice-error.js';
import { silenced } from '../../core/quiet-run.js';
import type { Run } from '../../core/run.js';
import type { Source } from '../../core/types.js';
import { bytesOfSource } from '../../sources/bytes/open.js';
import { formatOf, hasColumns } from '../../sources/format.js';

/**
 * The columns of `source` as its first chunk has them, where it is a file with columns that can be read again;
 * undefined else, and where it has no rows. Counts and rejects nothing. What is wrong with a file its own check tells, so it
 * is undefined here.
 */
export async function columnsOf(
  source: Source | undefined,
  run: Run,
): Promise<readonly string[] | undefined> {
  if (source?.kind !== 'file') return undefined;
  // A record of JSON may leave fields out, so the first ones do not tell what the others have.
  const path = source.path ?? source.name;
  if (!hasColumns(formatOf(path))) return undefined;
  // To open a FIFO would take what it gives.
  try {
    if ((await bytesOfSource(source, run)) === undefined) return undefined;
    for await (const chunk of source.read(silenced(run))) {
      if (!hasColumns(source.format)) return undefined;
      const columns = new Set<string>();
      for (const row of chunk) for (const column of Object.keys(row)) columns.add(column);
      return [...columns];
    }
  } catch (error) {
    if (!(error instanceof SluiceError) || error.kind === 'interrupted') throw error;
  }
  return undefined;
}

/** The columns of `source` that are not among `declared`; empty where nothing is declared, or its columns are not known. */
export async function columnsBeside(
  source: Source | undefined,
  declared: readonly string[] | undefined,
  run: Run,
): Promise<readonly string[]> {
  if (source === undefined || declared === undefined) return [];
  const all = (await source.allColumns?.(run)) ?? (await columnsOf(source, run)) ?? [];
  return all.filter((name) => !declared.includes(name));
}
