import type { FieldMapping, MappingsDefinition } from '../../core/mapping.js';
import type { Database } from '../../core/run.js';
import type { PgDatabase } from '../connect.js';
import { ledgerThere } from './trust.js';

const COLUMNS = `source_system AS "sourceSystem", record_type AS "recordType", source_field AS "sourceField",
  target_field AS "targetField", transform, is_required AS "isRequired", default_value AS "defaultValue"`;

/**
 * The mappings of a source system that the ledger holds, in the order in which they were given, of all record
 * types or of one. Empty where there is no ledger yet. Writes nothing.
 */
export async function readMappings(
  database: Pick<Database, 'query'>,
  system: string,
  recordType?: string,
): Promise<FieldMapping[]> {
  if (!(await ledgerThere(database))) return [];
  const [there] = await database.query<{ there: boolean }>(
    "SELECT to_regclass('sluice.migration_field_mapping') IS NOT NULL AS there",
  );
  if (there?.there !== true) return [];
  return database.query<FieldMapping & Record<string, unknown>>(
    `SELECT ${COLUMNS} FROM sluice.migration_field_mapping
     WHERE source_system = $1 AND ($2::text IS NULL OR record_type = $2) ORDER BY id`,
    [system, recordType ?? null],
  );
}

/** The mappings in force, and which record types have theirs from the ledger. */
export interface MappingsInForce {
  readonly mappings: readonly FieldMapping[];
  readonly fromLedger: ReadonlySet<string>;
}

/**
 * The mappings in force for a source system: of each record type those of the ledger, and the pipeline's
 * defaults for the system where the ledger has none of that type.
 */
export async function mappingsInForce(
  database: Pick<Database, 'query'>,
  definition: Pick<MappingsDefinition, 'defaults'>,
  system: string,
): Promise<MappingsInForce> {
  const kept = await readMappings(database, system);
  const fromLedger = new Set(kept.map(({ recordType }) => recordType));
  const defaults = definition.defaults.filter(
    ({ sourceSystem, recordType }) => sourceSystem === system && !fromLedger.has(recordType),
  );
  return { mappings: [...kept, ...defaults], fromLedger };
}

/** What replacing the mappings of a system did. */
export interface MappingsChange {
  readonly removed: number;
  readonly added: number;
}

/**
 * Puts `mappings` in the place of all that the ledger holds of `system` (of one record type, if one is given), in
 * one transaction. They must be of that system and type, and without faults.
 */
export async function replaceMappings(
  database: PgDatabase,
  system: string,
  recordType: string | undefined,
  mappings: readonly FieldMapping[],
): Promise<MappingsChange> {
  const client = await database.session();
  await client.query('BEGIN');
  try {
    const removed = await client.query(
      `DELETE FROM sluice.migration_field_mapping
       WHERE source_system = $1 AND ($2::text IS NULL OR record_type = $2)`,
      [system, recordType ?? null],
    );
    const added = await client.query(
      `INSERT INTO sluice.migration_field_mapping
         (source_system, record_type, source_field, target_field, transform, is_required, default_value)
       SELECT m."sourceSystem", m."recordType", m."sourceField", m."targetField", m.transform, m."isRequired",
              m."defaultValue"
       FROM ROWS FROM (json_to_recordset($1::json) AS ("sourceSystem" text, "recordType" text, "sourceField" text,
              "targetField" text, transform text, "isRequired" boolean, "defaultValue" text)) WITH ORDINALITY AS m
       ORDER BY m.ordinality`,
      [JSON.stringify(mappings)],
    );
    await client.query('COMMIT');
    return { removed: removed.rowCount ?? 0, added: added.rowCount ?? 0 };
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}
