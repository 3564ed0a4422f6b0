import { again, command } from '../../next.js';
import { misuse, refusal, topic } from './entry.js';
import { NOTHING_WRITTEN } from './state.js';

const IF_IT_IS = [
  again({ flags: { header: true } }, { note: 'these names stand in place of those in the header' }),
  again({ flags: { header: false } }, { lead: 'or, if it is a row all the same' }),
];

/** Errors of a copy. */
export const copyErrors = topic({
  file_twice: misuse(({ path, shown }: { path: string; shown: string }) => ({
    says: `${shown} is named twice: its rows would be loaded twice`,
    input: path,
    next: 'name it once',
  })),
  files_differ: misuse(({ path, shown, first }: { path: string; shown: string; first: string }) => ({
    says: `${shown} does not have the same columns as ${first}`,
    input: path,
    state: NOTHING_WRITTEN,
    next: 'copy them one after the other, each with its own flags',
  })),
  has_header: {
    all: misuse(({ input }: { input: string }) => ({
      says: `the first line of ${input} is a header: it holds the names in --columns`,
      input,
      line: 1,
      state: NOTHING_WRITTEN,
      next: [again({ drop: ['columns'] }, { note: 'the header says the same' }), ...IF_IT_IS],
    })),
    some: misuse(({ input, name }: { input: string; name: string }) => ({
      says: `the first line of ${input} is a header: it holds "${name}"`,
      input,
      line: 1,
      state: NOTHING_WRITTEN,
      next: IF_IT_IS,
    })),
  },
  no_rows: refusal(() => ({
    says: 'the input has no row: there is nothing to propose a table from',
    state: NOTHING_WRITTEN,
    next: again({ drop: ['create'] }, { lead: 'create the table yourself, then' }),
  })),
  not_a_copy: {
    run: misuse(
      ({ batch, pipeline, from, file }: { batch: string; pipeline: string; from: string; file: string }) => ({
        says: `batch ${batch} was a run of "${pipeline}", not a copy`,
        state: NOTHING_WRITTEN,
        next: command('run', [from], { source: file, onlyRejectsOf: batch }),
      }),
    ),
    earlierVersion: misuse(({ batch }: { batch: string }) => ({
      says: `batch ${batch} was copied by an earlier version, which did not note how`,
      state: NOTHING_WRITTEN,
      next: command('rejects', [batch], {}, { lead: 'correct the rows in the file itself' }),
    })),
  },
  other_table: misuse(
    ({
      batch,
      table,
      given,
      into,
    }: {
      batch: string;
      table: string | undefined;
      given: string;
      /** As the batch was told it. */
      into: string;
    }) => ({
      says: `batch ${batch} was copied into ${table}, not into ${given}`,
      state: NOTHING_WRITTEN,
      next: again({ flags: { into } }),
    }),
  ),
  other_options: misuse(({ batch, flag, drop }: { batch: string; flag: string; drop: string }) => ({
    says: `batch ${batch} was copied with another ${flag}`,
    state: NOTHING_WRITTEN,
    next: again({ drop: [drop] }, { note: 'how its rows come into the table is known' }),
  })),
});
