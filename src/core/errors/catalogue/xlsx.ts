import { again } from '../../next.js';
import { failure, misuse, refusal, topic } from './entry.js';
import { NOTHING_DONE, NOTHING_PUBLISHED, NOTHING_WRITTEN } from './state.js';

interface Of {
  readonly input: string;
}

/** So many sheets are proposed as a command each. */
const MOST_SHEETS = 5;

/** Errors of Excel workbooks. */
export const xlsxErrors = topic({
  no_xlsx_reader: misuse(({ input, command }: Of & { command: string }) => ({
    says: 'an Excel workbook is read by the packages yauzl and saxes, which are not installed here',
    input,
    state: NOTHING_DONE,
    next: [command, again({}, { lead: 'then' })],
  })),
  not_xlsx: {
    notSeekable: misuse(({ input }: Of) => ({
      says: `${input} cannot be read as a workbook: its end is read first`,
      input,
      state: NOTHING_DONE,
      next: 'save it to a file that is not packed, and name that',
    })),
    ole: misuse(({ input }: Of) => ({
      says: `${input} is a workbook of Excel 97 to 2003 (.xls), or one with a password`,
      input,
      state: NOTHING_DONE,
      next: 'open it in a spreadsheet, and save it as .xlsx without a password',
    })),
    binary: misuse(({ input }: Of) => ({
      says: `${input} is a binary workbook (.xlsb)`,
      input,
      state: NOTHING_DONE,
      next: 'open it in a spreadsheet, and save it as .xlsx',
    })),
    other: misuse(({ input }: Of) => ({
      says: `${input} is no Excel workbook (.xlsx)`,
      input,
      state: NOTHING_DONE,
      next: 'see what it is, and say how it is written (--format)',
    })),
  },
  corrupt_xlsx: failure(({ input, where, why }: Of & { where: string; why: string }) => ({
    says: `${input} is damaged, in ${where}: ${why}`,
    input,
    state: NOTHING_PUBLISHED,
    next: again({}, { lead: 'open it in a spreadsheet, save it anew, then' }),
  })),
  which_sheet: misuse(({ input, sheets }: Of & { sheets: readonly string[] }) => ({
    says: `${input} has ${sheets.length} sheets, and one is read`,
    input,
    state: NOTHING_DONE,
    next: [
      ...sheets.slice(0, MOST_SHEETS).map((sheet) => again({ flags: { sheet } })),
      ...(sheets.length > MOST_SHEETS
        ? [`or another one (--sheet): ${sheets.slice(MOST_SHEETS, 25).join(', ')}`]
        : []),
    ],
  })),
  no_such_sheet: misuse(
    ({
      input,
      sheet,
      sheets,
      meant,
    }: Of & { sheet: string; sheets: readonly string[]; meant: string | undefined }) => ({
      says: `${input} has no sheet "${sheet}"${meant === undefined ? '' : `; did you mean ${meant}?`}`,
      input,
      details: [`its sheets: ${sheets.slice(0, 25).join(', ')}`],
      state: NOTHING_DONE,
      next: meant === undefined ? 'name one of its sheets' : again({ flags: { sheet: meant } }),
    }),
  ),
  no_sheets: refusal(({ input }: Of) => ({
    says: `${input} has no sheet that can be seen`,
    input,
    state: NOTHING_WRITTEN,
    next: 'name the hidden one (--sheet)',
  })),
  empty_sheet: refusal(({ input, sheet }: Of & { sheet: string }) => ({
    says: `the sheet "${sheet}" of ${input} is empty: not even a header`,
    input,
    state: NOTHING_WRITTEN,
    next: 'check the sheet that is named (--sheet), and how many rows come before its header (--skip-lines)',
  })),
});
