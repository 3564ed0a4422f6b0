import type { OldSystem } from '../core/assessment.js';
import { tableErrors } from '../core/errors/catalogue/tables.js';
import { nearest } from '../core/errors/nearest.js';
import type { Pipeline } from '../core/pipeline.js';
import type { Source } from '../core/types.js';
import { isThere } from '../sources/old-system.js';

/** The tables of an SQLite file that become CSV files: those declared, else `all`. Throws usage `no_such_table`. */
export async function sqliteTables(
  pipeline: Pipeline,
  system: OldSystem,
  all: readonly string[],
): Promise<readonly string[]> {
  const { tables, whereThere = [] } = pipeline.backup ?? {};
  if (tables === undefined) return all;
  await assertThere(system, tables, all);
  return [...tables, ...(await there(system, whereThere))];
}

/**
 * The tables of the database that a backup holds: all that the pipeline reads or changes. `inputs`: where its rows come
 * from, when it is of the database; left out, only what it changes. Those that the run is to make may be missing. Throws
 * usage `no_such_table` for one that is declared and is not there.
 */
export async function databaseTables(
  pipeline: Pipeline,
  system: OldSystem,
  inputs?: Readonly<Record<string, Source>>,
): Promise<readonly string[]> {
  const targets = Object.values(pipeline.tables).map(({ table }) => table);
  const changed = await there(system, targets);
  if (inputs === undefined) return changed;
  const { tables = [], whereThere = [] } = pipeline.backup ?? {};
  const declared = [...tables, ...(pipeline.assess?.tables ?? [])];
  // A system that is filled from files may have none of them yet.
  const isOld = Object.values(inputs).every(({ kind }) => kind !== 'file' && kind !== 'stdin');
  if (isOld) await assertThere(system, declared, targets);
  const guards = typeof pipeline.guards === 'object' ? pipeline.guards : [];
  const read = Object.values(inputs).flatMap(({ table = [] }) => table);
  return [
    ...new Set([...(await there(system, [...declared, ...read, ...guards, ...whereThere])), ...changed]),
  ];
}

async function there(system: OldSystem, tables: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const table of tables) if (await isThere(system, table)) found.push(table);
  return found;
}

async function assertThere(
  system: OldSystem,
  tables: readonly string[],
  known: readonly string[],
): Promise<void> {
  for (const table of tables) {
    if (await isThere(system, table)) continue;
    throw tableErrors.no_such_table.toBackUp({ table, system: system.name, meant: nearest(table, known) });
  }
}
