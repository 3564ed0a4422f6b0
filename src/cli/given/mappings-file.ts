import { parse } from 'csv-parse/sync';
import { csvField } from '../../core/csv-text.js';
import { nearest } from '../../core/errors/nearest.js';
import { type FieldMapping, type MappingsDefinition, mappingFaults } from '../../core/mapping.js';

/** The columns of a file of mappings, as the ledger's table has them, and what they are in a FieldMapping. */
const COLUMNS = {
  source_system: 'sourceSystem',
  record_type: 'recordType',
  source_field: 'sourceField',
  target_field: 'targetField',
  transform: 'transform',
  is_required: 'isRequired',
  default_value: 'defaultValue',
} as const satisfies Readonly<Record<string, keyof FieldMapping>>;

type Column = keyof typeof COLUMNS;

const NAMES = Object.keys(COLUMNS) as Column[];
const NEEDED: readonly Column[] = ['source_system', 'record_type', 'source_field', 'target_field'];
const YES = new Set(['true', 't', 'yes', 'y', '1']);
const NO = new Set(['false', 'f', 'no', 'n', '0', '']);

/** The mappings as a CSV file. */
export function mappingsCsv(mappings: readonly FieldMapping[]): string {
  const lines = mappings.map((mapping) =>
    NAMES.map((name) => csvField(String(mapping[COLUMNS[name]]) || null)).join(','),
  );
  return [NAMES.join(','), ...lines].join('\n');
}

/** What a file of mappings holds, and everything that is wrong with it, each with its line. */
export interface ReadMappings {
  readonly mappings: readonly FieldMapping[];
  readonly faults: readonly string[];
}

/**
 * Reads a CSV file of mappings and looks for everything that is wrong with it. All must be of `system`, and of
 * `recordType` where one is given.
 */
export function readMappingsCsv(
  text: string,
  of: { readonly system: string; readonly recordType: string | undefined },
  definition: Pick<MappingsDefinition, 'targets' | 'transform'>,
): ReadMappings {
  let records: readonly { readonly record: readonly string[]; readonly info: { readonly lines: number } }[];
  try {
    // With `info` it gives more than its types say.
    records = parse(text, {
      bom: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as typeof records;
  } catch (error) {
    return { mappings: [], faults: [`the file cannot be read as CSV: ${(error as Error).message}`] };
  }
  const [head, ...rows] = records;
  if (head === undefined)
    return { mappings: [], faults: [`the file is empty; its header is ${NAMES.join(',')}`] };
  const columns = head.record.map((name) => name.trim());
  const faults = headFaults(columns);
  if (faults.length > 0) return { mappings: [], faults };
  const lines: number[] = [];
  const mappings = rows.map(({ record, info }) => {
    lines.push(info.lines);
    const say = (column: string, message: string) => faults.push(`line ${info.lines}, ${column}: ${message}`);
    if (record.length !== columns.length)
      faults.push(`line ${info.lines} has ${record.length} fields, and the header ${columns.length}`);
    const field = (name: Column) => (record[columns.indexOf(name)] ?? '').trim();
    const required = field('is_required').toLowerCase();
    if (!YES.has(required) && !NO.has(required))
      say('is_required', `"${required}" is neither true nor false`);
    if (field('source_system') !== of.system)
      say('source_system', `is "${field('source_system')}", and these are the mappings of ${of.system}`);
    if (of.recordType !== undefined && field('record_type') !== of.recordType)
      say('record_type', `is "${field('record_type')}", and --record-type says ${of.recordType}`);
    return {
      sourceSystem: field('source_system'),
      recordType: field('record_type'),
      sourceField: field('source_field'),
      targetField: field('target_field'),
      transform: field('transform'),
      isRequired: YES.has(required),
      defaultValue: field('default_value'),
    };
  });
  for (const { at, column, message } of mappingFaults(mappings, definition))
    faults.push(`line ${lines[at]}, ${nameOf(column)}: ${message}`);
  return { mappings, faults };
}

function headFaults(columns: readonly string[]): string[] {
  const faults: string[] = [];
  for (const [at, name] of columns.entries()) {
    const meant = nearest(name, NAMES);
    if (!(NAMES as readonly string[]).includes(name))
      faults.push(
        `line 1: there is no column "${name}"${meant === undefined ? `; there are ${NAMES.join(', ')}` : `; did you mean ${meant}?`}`,
      );
    else if (columns.indexOf(name) !== at) faults.push(`line 1: the column ${name} stands twice`);
  }
  for (const name of NEEDED)
    if (!columns.includes(name)) faults.push(`line 1: the column ${name} is missing`);
  return faults;
}

function nameOf(column: keyof FieldMapping): string {
  return NAMES.find((name) => COLUMNS[name] === column) as string;
}
