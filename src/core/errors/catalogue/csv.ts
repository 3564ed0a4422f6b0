import { again } from '../../next.js';
import { failure, misuse, refusal, topic } from './entry.js';
import { AS_THE_COMMAND_ENDS } from './state.js';

/** The first record as it cannot be read. */
interface Unreadable {
  readonly input: string;
  readonly why: string | undefined;
}

/** What options of csv() are to a pipeline are flags of `copy`. */
export const CSV_FLAGS =
  "--delimiter ';'   (tab for a tab), --quote \"'\" (none where quotes mean nothing), --escape '\\'";

/** Errors of CSV; those of its columns stand in columns.ts. */
export const csvErrors = topic({
  bad_csv_option: misuse(({ why }: { why: string }) => ({
    says: why,
    next: 'correct the options of csv()',
  })),
  bad_header: {
    looksLikeJson: refusal(({ input, why }: Unreadable) => ({
      says: `${input}: the header cannot be read: ${why}`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: again(
        { flags: { format: 'json' } },
        { lead: 'it looks like JSON', otherwise: 'it looks like JSON: give it a name that ends in .json' },
      ),
    })),
    notUtf8: refusal(({ input, why }: Unreadable) => ({
      says: `${input}: the header cannot be read: ${why}`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: again(
        { flags: { encoding: 'windows-1252' } },
        { lead: 'if it is not UTF-8, name its encoding, such as' },
      ),
    })),
    dialect: refusal(({ input, why }: Unreadable) => ({
      says: `${input}: the header cannot be read: ${why}`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: 'correct the first line of the file, or name its dialect: quote, escape, delimiter',
    })),
  },
  bad_record: failure(({ input, why }: { input: string; why: string }) => ({
    says: `${input}: ${why}`,
    input,
    state: AS_THE_COMMAND_ENDS,
    next: 'correct that line, or name the dialect: quote, escape, trim',
  })),
  empty_column_name: refusal(
    ({ input, at, position, header }: { input: string; at: number; position: string; header: string }) => ({
      says: `${input}: column ${at} of the header has no name, and another is named ${position}`,
      input,
      line: 1,
      details: [`the header: ${header}`],
      state: AS_THE_COMMAND_ENDS,
      next: 'give the columns other names than the header does: --columns a,b,c --header',
    }),
  ),
});
