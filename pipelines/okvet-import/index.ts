import {
  again,
  command,
  type FieldMapping,
  type FlowPlan,
  flow,
  merge,
  pipeline,
  type RecordKind,
  type Source,
  type Target,
  usage,
} from 'sluice';
import { compileMapping, transformFault } from 'sluice/transforms';
import { importRecords } from './import-records.js';
import { DEFAULT_MAPPINGS, IMPORT_TRANSFORMS, OKVET, TARGETS } from './mappings.js';
import { notGiven } from './not-given.js';
import { filesHaveTheFields, liveIdsAreTrimmed, parentsAreThere } from './questions.js';
import { INPUTS, type InputName, RECORD_TYPES, tableColumns } from './record-types.js';
import { SourceIds } from './source-ids.js';
import { ValueNotes } from './value-notes.js';

const NAME = 'okvet-import';

const byInput = <T>(make: (input: InputName) => T) =>
  Object.fromEntries(INPUTS.map((input) => [input, make(input)])) as Record<InputName, T>;

const inputs = byInput(notGiven);

const into = (input: InputName) =>
  merge(input, { columns: tableColumns(input), key: ['source_system', 'source_id'] });

/** The records of an input; which field holds their ids, the mappings say. */
const recordsOf = (input: InputName): RecordKind => {
  const { type } = RECORD_TYPES[input];
  return {
    type,
    sourceId: (mappings) =>
      mappings
        .filter(({ recordType, targetField }) => recordType === type && targetField === 'source_id')
        .map(({ sourceField }) => sourceField),
  };
};

const columnsFilled = (mappings: readonly FieldMapping[]) =>
  mappings.flatMap(({ targetField }) => targetField.split('+'));

/** The mappings of one record type, compiled for its table; wrong ones are usage errors. */
function mappingOf(input: InputName, mappings: readonly FieldMapping[], notes: ValueNotes) {
  const { type } = RECORD_TYPES[input];
  const own = mappings.filter(({ recordType }) => recordType === type);
  if (!own.some(({ targetField }) => targetField === 'source_id'))
    throw usage('bad_mapping', `no mapping fills source_id of ${type}: its records could not be told apart`, {
      next: [
        command('mappings', [own[0]?.sourceSystem ?? OKVET, 'export', 'mappings.csv']),
        command(
          'mappings',
          [own[0]?.sourceSystem ?? OKVET, 'import', 'mappings.csv'],
          {},
          {
            lead: "add a mapping of the id's field to source_id, then",
          },
        ),
      ],
    });
  return compileMapping(own, {
    columns: tableColumns(input, columnsFilled(own)),
    transforms: IMPORT_TRANSFORMS,
    note: (field, reason, value) => notes.note(field, reason, value),
  });
}

export default pipeline({
  name: NAME,
  summary: 'Clients, pets and their records out of the files of OkVet or another practice system',
  inputs,
  tables: byInput(into),
  system: OKVET,
  executeByDefault: false,
  settings: {
    system: {
      summary: 'the practice system that the files come from; its field mappings are used',
      default: OKVET,
    },
  },
  mappings: {
    system: OKVET,
    setting: 'system',
    defaults: DEFAULT_MAPPINGS,
    targets: TARGETS,
    transform: (text) => transformFault(text, IMPORT_TRANSFORMS),
  },
  records: byInput(recordsOf),
  checks: [filesHaveTheFields, liveIdsAreTrimmed],
  // A column that no mapping fills is left alone: somebody may have filled it by hand.
  fills: ({ mappings }) =>
    byInput((input) => {
      const { type } = RECORD_TYPES[input];
      const filled = mappings.filter(({ recordType }) => recordType === type);
      // Of a type without mappings there can be no file.
      return filled.length === 0 ? tableColumns(input) : tableColumns(input, columnsFilled(filled));
    }),
  flows: ({ inputs: given, tables, settings, mappings, live }) => {
    const system = settings.system ?? OKVET;
    // An input that was not named has the declared source still.
    const named = INPUTS.filter((input) => (given[input] as Source) !== inputs[input]);
    if (named.length === 0)
      throw usage('no_files', `${NAME} was given no file`, {
        next: again(
          { flags: { input: INPUTS.map((input) => `${input}=${input}.csv`) } },
          { lead: 'name the files there are, any of these' },
        ),
      });
    const ids = byInput(
      (input) =>
        new SourceIds({
          type: RECORD_TYPES[input].type,
          table: live(input),
          system,
          given: named.includes(input),
          ...(RECORD_TYPES[input].date === undefined ? {} : { date: RECORD_TYPES[input].date }),
        }),
    );
    // In the order of INPUTS: flows start in this order, and one waits for those of its parents, which never
    // wait for it.
    return named.map((input): FlowPlan => {
      const notes = new ValueNotes(input);
      const kind = RECORD_TYPES[input];
      const mapping = mappingOf(input, mappings, notes);
      return flow(given[input] as Source)
        .through(importRecords({ input, table: live(input), kind, system, mapping, ids, notes }))
        .into(tables[input] as Target<never>);
    });
  },
  validations: parentsAreThere,
});
