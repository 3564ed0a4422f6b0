import type { MappingsDefinition } from '../../core/mapping.js';
import type { Pipeline } from '../../core/pipeline.js';
import { readColumns } from '../../db/catalog/columns.js';
import type { PgDatabase } from '../../db/connect.js';
import { findTable } from './tables.js';

/**
 * The fields that mappings may fill, by record type: those that the pipeline names, and the other columns of its tables
 * where it says so. A table that is not there adds none; the check tells of it.
 */
export async function mappingFields(
  database: PgDatabase,
  { tables }: Pick<Pipeline, 'tables'>,
  { targets, others = {} }: Pick<MappingsDefinition, 'targets' | 'others'>,
): Promise<MappingsDefinition['targets']> {
  const fields: Record<string, readonly string[]> = { ...targets };
  for (const [type, { table, except }] of Object.entries(others)) {
    const target = tables[table];
    const found = target === undefined ? undefined : await findTable(database, target.table);
    if (found === undefined) continue;
    const columns = await readColumns(database, found.schema, found.table);
    const fillable = columns
      .filter(({ name, generated }) => generated === undefined && !except.includes(name))
      .map(({ name }) => name);
    fields[type] = [...new Set([...(targets[type] ?? []), ...fillable])];
  }
  return fields;
}
