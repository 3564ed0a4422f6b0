import type { Flags } from '../../core/command.js';
import { type FieldMapping, type MappingsDefinition, mappingFaults } from '../../core/mapping.js';
import { command } from '../../core/next.js';
import type { Finding, Pipeline } from '../../core/pipeline.js';
import type { Database } from '../../core/run.js';
import { type MappingsInForce, mappingsInForce } from '../../db/ledger/mappings.js';
import { mappingFields } from './mapping-fields.js';
import { isFile } from './next-command.js';
import type { RunOptions } from './options.js';

/** The source system whose mappings a run takes: the pipeline's own, or the one that its setting names. */
export function mappedSystem(
  definition: Pick<MappingsDefinition, 'system' | 'setting'>,
  settings: Readonly<Record<string, string>>,
): string {
  const named = definition.setting === undefined ? '' : (settings[definition.setting] ?? '');
  return named === '' ? definition.system : named;
}

/** The mappings that a run of `pipeline` takes; none where it declares none. */
export async function jobMappings(
  database: Pick<Database, 'query'>,
  pipeline: Pipeline,
  settings: Readonly<Record<string, string>>,
): Promise<MappingsInForce> {
  const { mappings } = pipeline;
  if (mappings === undefined) return { mappings: [], fromLedger: new Set() };
  return mappingsInForce(database, mappings, mappedSystem(mappings, settings));
}

/** What is wrong with the mappings in force; asked before any row is read. */
export async function mappingFindings(job: {
  readonly pipeline: Pipeline;
  readonly mappings: readonly FieldMapping[];
  readonly settings: Readonly<Record<string, string>>;
  readonly options: Pick<RunOptions, 'database' | 'from'>;
}): Promise<Finding[]> {
  const definition = job.pipeline.mappings;
  if (definition === undefined) return [];
  const system = mappedSystem(definition, job.settings);
  const { from = '' } = job.options;
  const of: Flags = isFile(from) ? { pipeline: from } : {};
  if (job.mappings.length === 0)
    return [
      {
        severity: 'error',
        message: `there are no field mappings of the source system "${system}"`,
        next: [
          command('mappings', [definition.system, 'export', 'mappings.csv'], of, {
            note: 'as an example: change source_system, source_field and transform',
          }),
          command('mappings', [system, 'import', 'mappings.csv'], of, { lead: 'then' }),
        ],
      },
    ];
  const targets = await mappingFields(job.options.database, job.pipeline, definition);
  const faults = mappingFaults(job.mappings, { ...definition, targets });
  if (faults.length === 0) return [];
  return [
    {
      severity: 'error',
      message: `${faults.length === 1 ? 'a field mapping' : `${faults.length} field mappings`} of ${system} cannot be used`,
      details: faults.map(
        ({ mapping, message }) => `${mapping.recordType}.${mapping.sourceField}: ${message}`,
      ),
      next: [
        command('mappings', [system, 'export', 'mappings.csv'], of),
        command('mappings', [system, 'import', 'mappings.csv'], of, { lead: 'correct it, then' }),
      ],
    },
  ];
}
