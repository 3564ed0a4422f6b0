import {
  again,
  type FieldMapping,
  type FlowPlan,
  flow,
  merge,
  type Pipeline,
  pipeline,
  type RecordKind,
  usage,
} from 'sluice';
import { compileMapping, transformFault } from 'sluice/transforms';
import { importRecords } from './import-records.js';
import { Layout, type Names } from './layout.js';
import { BUILT_IN, correcting, defaultMappings, IMPORT_TRANSFORMS, OKVET, targetsOf } from './mappings.js';
import { notGiven } from './not-given.js';
import { filesHaveTheFields, liveIdsAreTrimmed, parentsAreThere } from './questions.js';
import { INPUTS, type InputName, RECORD_TYPES, tableColumns } from './record-types.js';
import { rulesAreKept } from './rules-asked.js';
import { SourceIds } from './source-ids.js';
import { ValueNotes } from './value-notes.js';

export type { Names } from './layout.js';
export type { InputName } from './record-types.js';

/** The import of a practice whose database is not called as that of the sample. */
export interface Practice extends Names {
  /** kebab-case; default: okvet-import. */
  readonly name?: string;
  readonly summary?: string;
}

const byInput = <T>(make: (input: InputName) => T): Record<InputName, T> => ({
  clients: make('clients'),
  pets: make('pets'),
  medical_records: make('medical_records'),
  vaccinations: make('vaccinations'),
  appointments: make('appointments'),
  invoices: make('invoices'),
});

const inputs = byInput(notGiven);

/** Those of one record type. */
const ofType = (mappings: readonly FieldMapping[], input: InputName) =>
  mappings.filter(({ recordType }) => recordType === RECORD_TYPES[input].type);

const columnsFilled = (mappings: readonly FieldMapping[]) =>
  mappings.flatMap(({ targetField }) => targetField.split('+'));

/** The mappings of one record type, in our names, compiled for its table; wrong ones are usage errors. */
function mappingOf(
  input: InputName,
  own: readonly FieldMapping[],
  { layout, from, notes }: { readonly layout: Layout; readonly from: string; readonly notes: ValueNotes },
) {
  const { type } = RECORD_TYPES[input];
  const sourceId = layout.theirs(input, 'source_id');
  if (!own.some(({ targetField }) => targetField === 'source_id'))
    throw usage(
      'bad_mapping',
      `no mapping fills ${sourceId} of ${type}: its records could not be told apart`,
      {
        next: correcting(own[0]?.sourceSystem ?? OKVET, from, {
          lead: `add a mapping of the id's field to ${sourceId}, then`,
        }),
      },
    );
  return compileMapping(own, {
    columns: tableColumns(input, columnsFilled(own)),
    transforms: IMPORT_TRANSFORMS,
    note: (field, reason, value) => notes.note(field, reason, value),
  });
}

/**
 * The import into the tables of a practice, by their names and those of their columns. A file of a user's own exports
 * what it gives; field mappings then name columns as the practice does. Throws usage `bad_names`.
 */
export function okvetImport(practice: Practice = {}): Pipeline {
  const layout = new Layout(practice);
  const { name = BUILT_IN } = practice;

  const into = (input: InputName) => {
    const theirs = (column: string) => layout.theirs(input, column);
    return merge(layout.table(input), {
      columns: tableColumns(input).map(theirs),
      key: ['source_system', 'source_id'].map(theirs),
    });
  };

  /** The records of an input; which field holds their ids, the mappings say. */
  const recordsOf = (input: InputName): RecordKind => ({
    type: RECORD_TYPES[input].type,
    trimmed: true,
    targetId: layout.theirs(input, 'id'),
    sourceId: (mappings) =>
      ofType(mappings, input)
        .filter(({ targetField }) => targetField === layout.theirs(input, 'source_id'))
        .map(({ sourceField }) => sourceField),
  });

  return pipeline({
    name,
    summary:
      practice.summary ??
      'Clients, pets and their records out of the files of OkVet or another practice system',
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
      defaults: defaultMappings(layout),
      targets: targetsOf(layout),
      others: Object.fromEntries(
        INPUTS.map((input) => [
          RECORD_TYPES[input].type,
          {
            table: input,
            except: ['id', 'source_system'].map((column) => layout.theirs(input, column)),
          },
        ]),
      ),
      transform: (text) => transformFault(text, IMPORT_TRANSFORMS),
    },
    records: byInput(recordsOf),
    checks: [filesHaveTheFields, liveIdsAreTrimmed(layout)],
    // A column that no mapping fills is left alone: somebody may have filled it by hand.
    fills: ({ mappings }) =>
      byInput((input) => {
        const own = ofType(mappings, input).map((mapping) => layout.inOurs(mapping));
        // Of a type without mappings there can be no file.
        const columns = own.length === 0 ? tableColumns(input) : tableColumns(input, columnsFilled(own));
        return columns.map((column) => layout.theirs(input, column));
      }),
    flows: ({ inputs: given, tables, settings, mappings, live, from }) => {
      const system = settings.system ?? OKVET;
      // An input that was not named has the declared source still.
      const named = INPUTS.filter((input) => given[input] !== inputs[input]);
      if (named.length === 0)
        throw usage('no_files', `${name} was given no file`, {
          next: again(
            { flags: { input: INPUTS.map((input) => `${input}=${input}.csv`) } },
            { lead: 'name the files there are, any of these' },
          ),
        });
      const ids = byInput((input) => {
        const { type, date } = RECORD_TYPES[input];
        const theirs = (column: string) => layout.theirs(input, column);
        return new SourceIds({
          type,
          table: live(input),
          system,
          columns: {
            id: theirs('id'),
            sourceSystem: theirs('source_system'),
            sourceId: theirs('source_id'),
            ...(date === undefined ? {} : { date: theirs(date) }),
          },
        });
      });
      // In the order of INPUTS parents come first.
      const plans = new Map<InputName, FlowPlan>();
      for (const input of named) {
        const notes = new ValueNotes(input);
        const kind = RECORD_TYPES[input];
        const own = ofType(mappings, input).map((mapping) => layout.inOurs(mapping));
        const mapping = mappingOf(input, own, { layout, from, notes });
        const after = kind.references.flatMap(({ to }) => plans.get(to) ?? []);
        const plan = flow(given[input], { after })
          .through(importRecords({ input, table: live(input), kind, layout, system, mapping, ids, notes }))
          .into(tables[input]);
        plans.set(input, plan);
      }
      return [...plans.values()];
    },
    validations: [...parentsAreThere(layout), rulesAreKept(layout)],
  });
}

export default okvetImport();
