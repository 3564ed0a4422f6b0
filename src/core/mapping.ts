import { nearest } from './errors/nearest.js';

/**
 * How one field of an old system's records becomes one of ours; the document's MigrationFieldMapping. Unique by
 * `sourceSystem`, `recordType` and `sourceField`.
 */
export interface FieldMapping {
  /** `okvet`, say. */
  readonly sourceSystem: string;
  /** `client`, say. */
  readonly recordType: string;
  /** As the old system's file has it. */
  readonly sourceField: string;
  readonly targetField: string;
  /** A transform by its name, with its arguments where it takes some; '' for the value as it is. */
  readonly transform: string;
  /** A record without a value is an error. */
  readonly isRequired: boolean;
  /** What stands in for a missing value; '' for none. */
  readonly defaultValue: string;
}

/** Field mappings of a pipeline: data that a user may change without touching code. */
export interface MappingsDefinition {
  /** The source system whose mappings are used. */
  readonly system: string;
  /** The pipeline's setting that names another source system. */
  readonly setting?: string;
  /** Used for every source system and record type of which the ledger has no mapping. */
  readonly defaults: readonly FieldMapping[];
  /** The fields that mappings may fill, by record type. Several are filled from one, joined by +. */
  readonly targets: Readonly<Record<string, readonly string[]>>;
  /** By record type, a table of the pipeline's whose other columns mappings may fill as well, but for some. */
  readonly others?: Readonly<Record<string, { readonly table: string; readonly except: readonly string[] }>>;
  /** What is wrong with a transform, in a few words (`there is no transform "dat_parse"`); undefined: nothing. */
  transform?(transform: string): string | undefined;
}

/** The document's lengths (varchar) of a mapping's texts. */
const LONGEST: Readonly<
  Record<'sourceSystem' | 'recordType' | 'sourceField' | 'targetField' | 'transform' | 'defaultValue', number>
> = {
  sourceSystem: 50,
  recordType: 50,
  sourceField: 100,
  targetField: 100,
  transform: 255,
  defaultValue: 255,
};

/** A mapping with what is wrong with it. */
export interface MappingFault {
  readonly mapping: FieldMapping;
  /** Its place among those that were looked at, from 0. */
  readonly at: number;
  readonly column: keyof FieldMapping;
  readonly message: string;
}

/**
 * Everything that is wrong with `mappings`: names that are missing or too long, record types and fields that the
 * pipeline does not know, transforms that there are not, and a source field or a target field that stands twice.
 */
export function mappingFaults(
  mappings: readonly FieldMapping[],
  definition: Pick<MappingsDefinition, 'targets' | 'transform'>,
): MappingFault[] {
  const faults: MappingFault[] = [];
  const seen = new Map<string, number>();
  for (const [at, mapping] of mappings.entries()) {
    const fault = (column: keyof FieldMapping, message: string) =>
      faults.push({ mapping, at, column, message });
    for (const [column, most] of Object.entries(LONGEST) as [keyof typeof LONGEST, number][]) {
      const { length } = [...mapping[column]];
      if (length > most) fault(column, `has ${length} characters, and ${most} fit`);
    }
    for (const column of ['sourceSystem', 'recordType', 'sourceField', 'targetField'] as const)
      if (mapping[column] === '') fault(column, 'is empty');
    const { sourceSystem, recordType, sourceField, targetField } = mapping;
    const fields = Object.hasOwn(definition.targets, recordType) ? definition.targets[recordType] : undefined;
    if (fields === undefined && recordType !== '')
      fault('recordType', unknown('record type', recordType, Object.keys(definition.targets)));
    const columns = targetField === '' ? [] : targetField.split('+').map((column) => column.trim());
    for (const column of fields === undefined ? [] : columns)
      if (!fields?.includes(column)) fault('targetField', unknown('field', column, fields ?? []));
    const wrong = mapping.transform === '' ? undefined : definition.transform?.(mapping.transform);
    if (wrong !== undefined) fault('transform', wrong);
    const twice = JSON.stringify([sourceSystem, recordType, sourceField]);
    const before = seen.get(twice);
    if (before === undefined) seen.set(twice, at);
    else
      fault(
        'sourceField',
        `"${sourceField}" of ${sourceSystem} ${recordType} is mapped twice; (source_system, record_type, source_field) is unique`,
      );
  }
  return faults;
}

function unknown(what: string, name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  return `there is no ${what} "${name}"${meant === undefined ? `; there are: ${known.join(', ')}` : `; did you mean ${meant}?`}`;
}
