import { again, command, type Next, type Suggestion } from '../../next.js';
import { misuse, refusal, topic } from './entry.js';
import { NOTHING_CHANGED, NOTHING_PUBLISHED, NOTHING_WRITTEN } from './state.js';

/** Why rejects of a batch cannot be given back by themselves. */
interface NotResubmitted {
  readonly batch: string;
  readonly why: string;
  readonly next: Next;
}

const notResubmitted = ({ batch, why, next }: NotResubmitted) => ({
  says: `rejects of batch ${batch} cannot be resubmitted: ${why}`,
  state: NOTHING_WRITTEN,
  next,
});

/** Errors of corrected rejects that are given back. */
export const resubmitErrors = topic({
  no_rejects: misuse(({ batch }: { batch: string }) => ({
    says: `batch ${batch} rejected nothing`,
    next: command('status', [batch]),
  })),
  no_corrected_rows: misuse(({ batch, resubmit }: { batch: string; resubmit: Suggestion }) => ({
    says: '--only-rejects-of reads corrected rows from a file',
    next: [
      command('rejects', [batch], { format: 'csv' }, { to: 'fixed.csv' }),
      resubmit.saying({ lead: 'correct it, then' }),
    ],
  })),
  already_resubmitted: {
    batch: refusal(({ batch, by }: { batch: string; by: string }) => ({
      says: `batch ${by} has published the input of batch ${batch}, corrected`,
      state: NOTHING_WRITTEN,
      next: [
        command('rejects', [by], {}, { lead: 'its own rejects are resubmitted by themselves' }),
        command('rollback', [by], {}, { lead: 'or undo it first' }),
      ],
    })),
    reject: refusal(({ reject, by }: { reject: number; by: string }) => ({
      says: `reject ${reject} was resubmitted already, with batch ${by}`,
      state: NOTHING_WRITTEN,
      next: [
        'take the row out of the file',
        command('rollback', [by], {}, { lead: 'or undo that batch first' }),
      ],
    })),
  },
  replaced_since: refusal(
    ({
      batch,
      since,
      table,
      resubmit,
    }: {
      batch: string;
      since: string;
      table: string;
      resubmit: Suggestion;
    }) => ({
      says: `batch ${since} has replaced ${table} since: the rows of batch ${batch} are not live any more`,
      table,
      state: NOTHING_WRITTEN,
      next: [
        command('rejects', [since], {}, { lead: `the rejects of batch ${since} can be resubmitted` }),
        command('rollback', [since], {}, { lead: 'or undo that batch first' }),
        resubmit.saying({ lead: 'and then' }),
      ],
    }),
  ),
  at_source: refusal(notResubmitted),
  rejects_of_rejects: refusal(notResubmitted),
  whole_table: refusal(notResubmitted),
  not_published: {
    rejects: refusal(notResubmitted),
    /** `status`: what the batch is; `next`: what makes it published. */
    batch: refusal(({ batch, status, next }: { batch: string; status: string; next: Next }) => ({
      says: `batch ${batch} is ${status}: there is nothing of it to be validated in live`,
      state: NOTHING_CHANGED,
      next,
    })),
  },
  read_once: {
    rejects: refusal(notResubmitted),
    toPropose: misuse(({ path, shown }: { path: string; shown: string }) => ({
      says: `--create reads ${shown} twice: for the types, and for the rows`,
      input: path,
      state: NOTHING_WRITTEN,
      next: [
        'save it to a file, and copy that',
        again({ drop: ['create'] }, { lead: 'or create the table yourself, then' }),
      ],
    })),
  },
  no_line: refusal(({ input, reject }: { input: string; reject: number }) => ({
    says: `it is not known which row of ${input} reject ${reject} was`,
    input,
    state: NOTHING_PUBLISHED,
    next: 'correct the row in the input itself, and run it whole',
  })),
  /** `numbers`: the column with the numbers of the rejects. */
  not_a_reject: refusal(({ batch, numbers }: { batch: string; numbers: string }) => ({
    says: `the row is not one of the rejects of batch ${batch}`,
    column: numbers,
    state: NOTHING_WRITTEN,
    next: command(
      'rejects',
      [batch],
      { format: 'csv' },
      { lead: `correct the file that this gives, and leave its column ${numbers} as it is`, to: 'fixed.csv' },
    ),
  })),
  other_input: refusal(
    ({ batch, reject, of, given }: { batch: string; reject: number; of: string; given: string }) => ({
      says: `reject ${reject} is a row of the input ${of}, and is given to ${given}`,
      state: NOTHING_WRITTEN,
      next: command(
        'rejects',
        [batch],
        { into: 'fixed' },
        { lead: 'give every input the file of its own rejects' },
      ),
    }),
  ),
  reject_twice: refusal(({ reject }: { reject: number }) => ({
    says: `reject ${reject} stands twice in the file`,
    state: NOTHING_WRITTEN,
    next: 'a reject is one row: take the other out',
  })),
  not_corrected: {
    /** `raw`: the column that shows what the input had. */
    reject: refusal(({ reject, raw }: { reject: number; raw: string }) => ({
      says: `reject ${reject} has no values yet`,
      state: NOTHING_WRITTEN,
      next: `fill its columns in (${raw} shows what the input had), or take the row out`,
    })),
    empty: refusal(({ input }: { input: string }) => ({
      says: 'a row of the file of rejects has no values yet',
      input,
      state: NOTHING_PUBLISHED,
      next: 'correct it, or take it out of the file',
    })),
    masked: refusal(({ input, column }: { input: string; column: string }) => ({
      says: `a row of the file of rejects is masked: ${column}`,
      input,
      state: NOTHING_PUBLISHED,
      next: 'correct it, or take it out of the file',
    })),
  },
  still_masked: refusal(({ reject, column }: { reject: number; column: string }) => ({
    says: `${column} of reject ${reject} is masked`,
    column,
    state: NOTHING_WRITTEN,
    next: 'put the value in; the ledger does not have it',
  })),
  /** A spreadsheet saves CSV in a dialect and an encoding of its own. */
  unreadable_correction: {
    notUtf8: refusal(({ input, why }: { input: string; why: string }) => ({
      says: `a row of the corrected file cannot be read: ${why}`,
      input,
      state: NOTHING_WRITTEN,
      next: [
        again(
          { flags: { encoding: 'windows-1252' } },
          { lead: 'if it is not UTF-8, name its encoding, such as' },
        ),
        'or save it as UTF-8',
      ],
    })),
    other: refusal(({ input, why }: { input: string; why: string }) => ({
      says: `a row of the corrected file cannot be read: ${why}`,
      input,
      state: NOTHING_WRITTEN,
      next: [
        'correct the line: it must have as many columns as the header',
        again({ flags: { delimiter: ';' } }, { lead: 'or, where its values stand between semicolons' }),
      ],
    })),
  },
  rejects_alone: refusal(({ input, table }: { input: string; table: string }) => ({
    says: `${input} holds the rejects of an input, not all of it: every other row of ${table} would be deleted`,
    input,
    state: NOTHING_WRITTEN,
    next: [
      'correct the rows in the input itself, and give it whole',
      again({ flags: { mode: 'merge' } }, { lead: 'or put these rows in, and delete none' }),
    ],
  })),
  rejects_given: {
    /** `drop`: the flags that the batch's own copy says; `numbers`: the column with the numbers of the rejects. */
    ofBatch: refusal(
      ({
        input,
        batch,
        drop,
        numbers,
      }: {
        input: string;
        batch: string;
        drop: readonly string[];
        numbers: string;
      }) => ({
        says: `${input} is a file of rejects of batch ${batch}`,
        input,
        state: NOTHING_WRITTEN,
        next: [
          again({ drop, flags: { onlyRejectsOf: batch } }, { note: 'resubmits them' }),
          `or, if these are rows like any other, call the column ${numbers} something else`,
        ],
      }),
    ),
    ofUnknown: refusal(
      ({ input, drop, numbers }: { input: string; drop: readonly string[]; numbers: string }) => ({
        says: `${input} is a file of rejects`,
        input,
        state: NOTHING_WRITTEN,
        next: [
          command('status', [], {}, { lead: 'the batch that rejected them' }),
          again({ drop, flags: { onlyRejectsOf: 'BATCH' } }, { note: 'resubmits them' }),
          `or, if these are rows like any other, call the column ${numbers} something else`,
        ],
      }),
    ),
  },
});
