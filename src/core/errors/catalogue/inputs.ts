import { shellWord } from '../../command.js';
import { again, command } from '../../next.js';
import { plural } from '../../plural.js';
import { misuse, refusal, topic } from './entry.js';
import { NOTHING_WRITTEN } from './state.js';

const asInput = (name: string, path: string) =>
  again({ drop: ['source'], flags: { input: [`${name}=${path}`] } });

/** Errors of the files that a command is given, and of those that it is to write. */
export const inputErrors = topic({
  no_such_input: {
    ofPipeline: misuse(
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
        says: `the pipeline "${pipeline}" has no input "${name}"`,
        next: `its inputs: ${names.join(', ')}${meant === undefined ? '' : ` (did you mean ${meant}?)`}`,
      }),
    ),
    encoding: misuse(({ name }: { name: string }) => ({
      says: `--encoding names the input ${name}, of which no file is given`,
      next: `give it: --input ${name}=PATH`,
    })),
    ofRejects: misuse(({ name, names }: { name: string; names: readonly string[] }) => ({
      says: `the batch rejected no row of "${name}"`,
      next: names.map((each) => again({ flags: { input: each } })),
    })),
  },
  which_input: {
    ofFile: misuse(
      ({ pipeline, names, path }: { pipeline: string; names: readonly string[]; path: string }) => ({
        says: `the pipeline "${pipeline}" has ${plural(names.length, 'input')}: --source does not say which`,
        next: [
          ...names.map((name) => asInput(name, path)),
          `or a folder with a file for each: ${names[0]}.csv, …`,
          'or give one JSON document (name.json) that has an array for every input',
        ],
      }),
    ),
    ofStdin: misuse(({ pipeline, names }: { pipeline: string; names: readonly string[] }) => ({
      says: `the pipeline "${pipeline}" has ${plural(names.length, 'input')}: --source does not say which`,
      next: 'save it to a file: a JSON document (name.json) that has an array for every input is given by --source',
    })),
    /** `inputs`: by their names, and as rejects call them. */
    ofRejects: misuse(
      ({ inputs }: { inputs: readonly { readonly name: string; readonly label: string }[] }) => ({
        says: `the batch rejected rows of ${inputs.length} inputs, each with its own columns`,
        next: [
          ...inputs.map(({ name, label }) =>
            again({ flags: { input: name } }, name === label ? {} : { note: label }),
          ),
          again({ flags: { into: 'fixed' } }, { lead: 'or a file for each of them' }),
        ],
      }),
    ),
    ofReject: refusal(({ reject, file }: { reject: number; file: string }) => ({
      says: `it is not known which input reject ${reject} is a row of`,
      state: NOTHING_WRITTEN,
      next: again({ drop: ['source'], flags: { input: `name=${file}` } }, { lead: 'say it' }),
    })),
  },
  which_file: misuse(
    ({
      folder,
      name,
      first,
      second,
      paths,
    }: {
      folder: string;
      name: string;
      first: string;
      second: string;
      paths: readonly string[];
    }) => ({
      says: `${folder} has two files for ${name}: ${first} and ${second}`,
      next: paths.map((each) => again({ flags: { input: [`${name}=${each}`] } })),
    }),
  ),
  no_files: misuse(({ folder, names }: { folder: string; names: readonly string[] }) => ({
    says: `${folder} has no file that is called as an input is`,
    next: `call them ${names.map((name) => `${name}.csv`).join(', ')}, or name each of them: --input ${names[0]}=…`,
  })),
  not_from_sqlite: misuse(({ name, path }: { name: string; path: string }) => ({
    says: `the input ${name} does not say what to read out of an SQLite file (${path})`,
    input: name,
    next: `export the rows as CSV: sqlite3 -header -csv ${shellWord(path)} "SELECT …" > ${name}.csv, and name that file`,
  })),
  stdin_twice: misuse(({ names }: { names: readonly string[] }) => ({
    says: `stdin cannot be both ${names.join(' and ')}`,
    next: 'give all but one as files',
  })),
  no_such_file: {
    mappings: misuse(({ file, why }: { file: string; why: string }) => ({
      says: `${file} cannot be read: ${why}`,
      state: NOTHING_WRITTEN,
      next: 'check the path',
    })),
    backup: misuse(({ path, why }: { path: string; why: string }) => ({
      says: `the backup file ${path} cannot be read: ${why}`,
      next: 'check the path; a run names the backup file that it wrote',
    })),
  },
  no_such_system: {
    ofAny: misuse(({ system, systems }: { system: string; systems: readonly string[] }) => ({
      says: `no pipeline uses field mappings of "${system}"`,
      next: [
        ...systems.map((each) => command('mappings', [each])),
        'for a pipeline of your own: --pipeline ./path.ts',
      ],
    })),
    ofPipeline: misuse(
      ({ pipeline, system, systems }: { pipeline: string; system: string; systems: readonly string[] }) => ({
        says: `the pipeline ${pipeline} uses no field mappings of "${system}"`,
        next: [
          ...systems.map((each) => command('mappings', [each])),
          'for a pipeline of your own: --pipeline ./path.ts',
        ],
      }),
    ),
  },
  no_such_type: misuse(({ type, types }: { type: string; types: readonly string[] }) => ({
    says: `there are no records of the type "${type}"`,
    next: types.map((each) => again({ flags: { recordType: each } })),
  })),
  bad_mappings: {
    one: refusal(({ input, fault }: { input: string; fault: string }) => ({
      says: `${input} cannot be imported: ${fault}`,
      input,
      state: 'nothing was written; the mappings are as they were',
      next: again({}, { lead: 'correct the file, then' }),
    })),
    several: refusal(({ input, faults }: { input: string; faults: readonly string[] }) => ({
      says: `${input} cannot be imported: ${faults.length} things are wrong`,
      input,
      details: faults,
      state: 'nothing was written; the mappings are as they were',
      next: again({}, { lead: 'correct the file, then' }),
    })),
  },
});
