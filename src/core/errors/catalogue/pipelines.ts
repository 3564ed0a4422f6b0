import { again, command, type Suggestion } from '../../next.js';
import { noun, plural } from '../../plural.js';
import { failure, misuse, topic } from './entry.js';
import { NOTHING_CHANGED, NOTHING_WRITTEN, Unsaid } from './state.js';

/** What is wrong with the definition of the pipeline. */
const wrong = (pipeline: string, why: string) => ({
  says: `pipeline "${pipeline}": ${why}`,
  next: 'correct its definition',
});

/** A table that a pipeline declares. */
interface Declared {
  readonly pipeline: string;
  readonly mode: string;
  readonly table: string;
}

const among = (what: string, names: readonly string[], meant: string | undefined) =>
  `its ${what}: ${names.join(', ')}${meant === undefined ? '' : ` (did you mean ${meant}?)`}`;

/** Errors of pipelines: how they are defined, found, and told what they are to do. */
export const pipelineErrors = topic({
  bad_pipeline: {
    name: misuse(({ pipeline }: { pipeline: string }) =>
      wrong(pipeline, 'the name must be kebab-case (a-z, 0-9, -)'),
    ),
    noInputs: misuse(({ pipeline }: { pipeline: string }) => wrong(pipeline, 'it declares no inputs')),
    noKey: misuse(({ pipeline, mode, table }: Declared) =>
      wrong(pipeline, `${mode}('${table}') needs a key`),
    ),
    noColumns: misuse(({ pipeline, mode, table }: Declared) =>
      wrong(pipeline, `${mode}('${table}') must say which columns its rows fill`),
    ),
    maxShrink: misuse(({ pipeline, mode, table }: Declared) =>
      wrong(pipeline, `maxShrink of ${mode}('${table}') must be a share in percent, from 0 to 100`),
    ),
    tableTwice: misuse(({ pipeline, table }: { pipeline: string; table: string }) =>
      wrong(pipeline, `the table ${table} is declared twice`),
    ),
    viewBeside: misuse(({ pipeline, view, beside }: { pipeline: string; view: string; beside: string }) =>
      wrong(pipeline, `the view ${view} is to be made beside "${beside}", which is none of its tables`),
    ),
    recordsOf: misuse(({ pipeline, input }: { pipeline: string; input: string }) =>
      wrong(pipeline, `records of "${input}", which is no input`),
    ),
    recordType: misuse(({ pipeline, type }: { pipeline: string; type: string }) =>
      wrong(pipeline, `the record type "${type}" must be lower case (a-z, 0-9, _), 50 characters at most`),
    ),
    system: misuse(({ pipeline, system }: { pipeline: string; system: string }) =>
      wrong(pipeline, `the system "${system}" must have 1 to 50 characters, and no blanks around them`),
    ),
    recordsEnd: misuse(({ pipeline, input, table }: { pipeline: string; input: string; table: string }) =>
      wrong(pipeline, `the records of "${input}" end in "${table}", which is no table of it`),
    ),
    indispensable: misuse(({ pipeline, input }: { pipeline: string; input: string }) =>
      wrong(pipeline, `"${input}" is indispensable, and no input`),
    ),
    mappings: misuse(({ pipeline, setting }: { pipeline: string; setting: string }) =>
      wrong(pipeline, `its mappings take the source system from "${setting}", which is no setting`),
    ),
    guardedTwice: misuse(({ pipeline, table }: { pipeline: string; table: string }) =>
      wrong(pipeline, `the table ${table} is guarded twice`),
    ),
    notLoaded: misuse(({ path, why }: { path: string; why: string }) => ({
      says: `the pipeline ${path} cannot be loaded: ${why}`,
      next: 'fix the file; `node --check` or your editor shows where',
    })),
    runs: misuse(() => ({
      says: 'the file of the pipeline calls Sluice when it is imported, which each thread of the run does once more',
      next: 'export the pipeline from a file of its own, and call run in another',
    })),
    notExported: misuse(({ path }: { path: string }) => ({
      says: `${path} does not export a pipeline`,
      next: "export default pipeline({ name, summary, inputs, tables, flows })   (import { pipeline } from 'sluice')",
    })),
  },
  not_one_row: failure(({ rows }: { rows: number }) => ({
    says: `a statement that is to give one row has given ${rows}`,
    state: new Unsaid('who asks it is anywhere in a run, whose end says it'),
    next: 'correct the statement, or take its rows one by one',
  })),
  bad_assessment: misuse(({ table, columns, keys }: { table: string; columns: number; keys: number }) => ({
    says: `orphans of ${table}: ${plural(columns, 'column')} ${noun(columns, 'points', 'point')} at a key of ${keys}`,
    next: 'give the key as many columns as point at it',
  })),
  no_such_pipeline: {
    unknown: misuse(
      ({
        wanted,
        meant,
        names,
      }: {
        wanted: string;
        meant: string | undefined;
        names: readonly string[];
      }) => ({
        says: `there is no pipeline "${wanted}"`,
        next: [
          ...(meant === undefined ? [] : [again({ args: [meant] }, { lead: `did you mean ${meant}?` })]),
          command('list', [], {}, { note: `there are: ${names.join(', ')}` }),
          'or give the path of a .ts or .js file whose default export is a pipeline',
        ],
      }),
    ),
    noFile: misuse(({ path }: { path: string }) => ({
      says: `there is no file ${path}`,
      next: 'check the path of the pipeline',
    })),
    ofCopy: misuse(({ pipeline }: { pipeline: string }) => ({
      says: `the ledger does not say what ${pipeline} was to fill`,
      next: 'copy its files again; the record of how is not whole',
    })),
  },
  other_pipeline: {
    ofRejects: misuse(
      ({
        batch,
        pipeline,
        given,
        resubmit,
      }: {
        batch: string;
        pipeline: string;
        given: string;
        resubmit: Suggestion;
      }) => ({
        says: `batch ${batch} was a run of "${pipeline}", not of "${given}"`,
        next: resubmit,
      }),
    ),
    named: misuse(
      ({
        batch,
        pipeline,
        named,
        is,
        from,
      }: {
        batch: string;
        pipeline: string;
        named: string;
        is: string;
        /** What the ledger says where it came from. */
        from: string;
      }) => ({
        says: `batch ${batch} is one of ${pipeline}, and ${named} is ${is}`,
        state: NOTHING_CHANGED,
        next: again({ flags: { pipeline: from } }),
      }),
    ),
  },
  name_the_pipeline: {
    ofBatch: misuse(({ batch, from }: { batch: string; from: string }) => ({
      says: `the pipeline of batch ${batch} is a file, which runs only where you name it (--pipeline)`,
      state: NOTHING_CHANGED,
      next: again(
        { flags: { pipeline: from } },
        { lead: 'the ledger says that it was the file below; where that is so' },
      ),
    })),
    ofBackup: misuse(({ name }: { name: string }) => ({
      says: `the backup file names the pipeline ${name}, which runs only where you name it (--pipeline)`,
      state: NOTHING_CHANGED,
      next: again({ flags: { pipeline: name } }, { lead: 'where it is that one' }),
    })),
  },
  no_such_setting: misuse(
    ({
      pipeline,
      name,
      names,
      meant,
    }: {
      pipeline: string;
      name: string;
      names: readonly string[];
      meant: string | undefined;
    }) => ({
      says: `the pipeline "${pipeline}" has no setting "${name}"`,
      next: names.length === 0 ? again({ drop: ['set'] }) : among('settings', names, meant),
    }),
  ),
  bad_setting: {
    value: misuse(({ name, value, values }: { name: string; value: string; values: readonly string[] }) => ({
      says: `${name} cannot be "${value}"`,
      next: values.map((allowed) => again({ flags: { set: [`${name}=${allowed}`] } })),
    })),
    overflow: misuse(({ value }: { value: unknown }) => ({
      says: `overflow is ${JSON.stringify(value)}; it can be refuse or widen`,
      next: ['refuse', 'widen'].map((each) => again({ flags: { set: [`overflow=${each}`] } })),
    })),
  },
  no_records: misuse(({ pipeline }: { pipeline: string }) => ({
    says: `the pipeline "${pipeline}" declares no records that could be kept`,
    state: NOTHING_WRITTEN,
    next: [
      again({ drop: ['records'] }),
      "or declare them in the pipeline: records: { input: { type: 'client' } }",
    ],
  })),
  no_validations: misuse(({ pipeline }: { pipeline: string }) => ({
    says: `the pipeline "${pipeline}" declares no validations`,
    state: NOTHING_CHANGED,
    next: 'declare some: validations: [validation(name, summary, ask)]',
  })),
  no_restore: misuse(({ pipeline }: { pipeline: string }) => ({
    says: `the pipeline ${pipeline} cannot restore from a backup file`,
    next: command('status', [], {}, { note: 'shows the batches; name one of them' }),
  })),
});
