import { again } from '../../next.js';
import { failure, misuse, refusal, topic } from './entry.js';
import { AS_THE_COMMAND_ENDS, NOTHING_PUBLISHED } from './state.js';
import { DID_YOU_MEAN } from './steps.js';

const quoted = (text: string) => JSON.stringify(text);

/** Errors of stages and of the functions that they are given. */
export const stageErrors = topic({
  stage_failed: {
    /** `what`: a function of the pipeline, as sentences begin. */
    function: failure(({ what, why }: { what: string; why: string }) => ({
      says: `${what} failed: ${why}`,
      state: NOTHING_PUBLISHED,
      next: 'fix the code that is named, or what it needs',
    })),
    stage: failure(({ stage, why }: { stage: string; why: string }) => ({
      says: `stage ${stage}: ${why}`,
      state: NOTHING_PUBLISHED,
      next: again(
        {},
        {
          lead: 'fix the function (where the row is at fault, throw a RowError so that it is rejected instead), then',
        },
      ),
    })),
  },
  not_a_row: failure(({ made }: { made: string }) => ({
    says: `a function given to map returned ${made}, not a row`,
    state: AS_THE_COMMAND_ENDS,
    next: 'return an object; to leave rows out, use filter(predicate, reason)',
  })),
  lookup_missing: failure(({ row, source }: { row: string; source: string }) => ({
    says: `${row} is not in ${source}`,
    state: NOTHING_PUBLISHED,
    next: again({}, { lead: `add it to ${source}, or correct the row, then` }),
  })),
  lookup_duplicate: failure(({ row, source }: { row: string; source: string }) => ({
    says: `${row} occurs more than once in ${source}`,
    input: source,
    state: NOTHING_PUBLISHED,
    next: 'make the key unique there, or look up by more columns',
  })),
  lookup_too_large: failure(({ source, limit }: { source: string; limit: number }) => ({
    says: `${source} has more than ${limit} rows, which is the lookup's limit`,
    input: source,
    state: NOTHING_PUBLISHED,
    next: 'raise `limit` if the memory is there, or join in the source query',
  })),
  lookup_column: misuse(
    ({
      source,
      column,
      columns,
      meant,
    }: {
      source: string;
      column: string;
      columns: readonly string[];
      meant: string | undefined;
    }) => ({
      says: `${source} has no column ${column}`,
      input: source,
      column,
      details: [`columns: ${columns.join(', ')}`],
      next: meant === undefined ? 'name one of its columns' : DID_YOU_MEAN(meant),
    }),
  ),
  lookup_source: failure(({ source, why }: { source: string; why: string }) => ({
    says: `${source} has a bad row: ${why}`,
    input: source,
    state: NOTHING_PUBLISHED,
    next: again({}, { lead: 'correct it (a lookup with holes would reject good rows), then' }),
  })),
  bad_width: misuse(({ stage, width }: { stage: string; width: number }) => ({
    says: `width of ${stage} is ${width}; it can be 1 to 15 digits`,
    next: 'give it a width of 1 to 15',
  })),
  prefix_needed: misuse(({ stage }: { stage: string }) => ({
    says: `${stage} groups by several columns, so it needs a prefix`,
    next: 'give it one: prefix: (row) => …',
  })),
  renumber_order: failure(({ number, group }: { number: number; group: string }) => ({
    says: `number ${number} of ${group} was given to another row already`,
    state: NOTHING_PUBLISHED,
    next: 'sort the rows that hold a number to the front of their group',
  })),
  sequence_overflow: {
    one: refusal(({ width, largest }: { width: number; largest: number }) => ({
      says: `one group has more rows than ${width} digits can number (${largest})`,
      state: NOTHING_PUBLISHED,
      next: again(
        { flags: { set: ['overflow=widen'] } },
        { note: 'gives these groups as many digits as they need' },
      ),
    })),
    several: refusal(({ groups, width, largest }: { groups: number; width: number; largest: number }) => ({
      says: `${groups} groups have more rows than ${width} digits can number (${largest})`,
      state: NOTHING_PUBLISHED,
      next: again(
        { flags: { set: ['overflow=widen'] } },
        { note: 'gives these groups as many digits as they need' },
      ),
    })),
  },
  no_hash_key: {
    missing: misuse(({ where }: { where: string }) => ({
      says: `there is no key to hash by: ${where} is empty or not there`,
      next: 'make one, keep it where only this migration reads it, and give it again each time: openssl rand -hex 32',
    })),
    short: misuse(({ where, bytes }: { where: string; bytes: number }) => ({
      says: `the key to hash by has ${bytes} bytes in ${where}, and needs 16 at least`,
      next: 'make a longer one: openssl rand -hex 32',
    })),
  },
  unspillable_row: failure(({ why }: { why: string }) => ({
    says: `a row holds a value that cannot be kept on disk: ${why}`,
    state: AS_THE_COMMAND_ENDS,
    next: 'turn functions, promises and class instances into text or plain values before sorting',
  })),
  bad_schema: {
    stage: misuse(({ stage, why }: { stage: string; why: string }) => ({
      says: `the schema of ${stage} cannot be used: ${why}`,
      next: 'correct the schema; it is JSON Schema, draft 7 unless $schema says 2019-09 or 2020-12',
    })),
    file: misuse(({ path, why }: { path: string; why: string }) => ({
      says: `the schema ${path} cannot be used: ${why}`,
      input: path,
      next: 'give a JSON Schema of one row: {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}',
    })),
  },
  bad_transform: {
    dateFormat: misuse(({ format, why }: { format: string; why: string }) => ({
      says: `the date format ${quoted(format)} cannot be used: ${why}`,
      next: 'write it with %Y (or %y), %m, %d, %H, %M, %S and %%: date_parse(%d/%m/%Y)',
    })),
    syntax: misuse(({ text, expected, at }: { text: string; expected: string; at: number }) => ({
      says: `${quoted(text)}: ${expected} was expected at character ${at}`,
      next: "write it as name or name(argument, 'another'), joined by |: trim | date_parse(%d/%m/%Y)",
    })),
    twice: misuse(({ name }: { name: string }) => ({
      says: `the transform ${name} is registered twice`,
      next: 'give one of them another name',
    })),
    notLast: misuse(({ name }: { name: string }) => ({
      says: `${name} makes several values, so nothing can come after it`,
      next: 'put it last',
    })),
    unknown: misuse(
      ({ name, meant, names }: { name: string; meant: string | undefined; names: readonly string[] }) => ({
        says: `there is no transform "${name}"${meant === undefined ? '' : `; did you mean ${meant}?`}`,
        next: `there are: ${names.join(', ')}`,
      }),
    ),
    /** `usage`: how the transform is written, and what it does. */
    argument: misuse(({ why, usage }: { why: string; usage: string }) => ({ says: why, next: usage })),
  },
  bad_mapping: misuse(({ source, target, why }: { source: string; target: string; why: string }) => ({
    says: `the mapping of ${source} to ${target} cannot be used: ${why}`,
    next: 'correct the mapping: export the mappings of the system, change it, import them again',
  })),
});
