import { shellWord } from '../../command.js';
import { again } from '../../next.js';
import { failure, misuse, topic } from './entry.js';
import { NOTHING_DONE, NOTHING_PUBLISHED, NOTHING_WRITTEN } from './state.js';

interface Of {
  readonly input: string;
}

/** Errors of Parquet files. */
export const parquetErrors = topic({
  no_parquet_reader: misuse(({ input, command }: Of & { command: string }) => ({
    says: 'a Parquet file is read by the package hyparquet, which is not installed here',
    input,
    state: NOTHING_DONE,
    next: [command, again({}, { lead: 'then' })],
  })),
  not_parquet: {
    notSeekable: misuse(({ input }: Of) => ({
      says: `${input} cannot be read as Parquet: its end is read first, and it has places for neither its end nor its columns`,
      input,
      state: NOTHING_DONE,
      next: 'save it to a file that is not packed, and name that',
    })),
    encrypted: misuse(({ input }: Of) => ({
      says: `${input} is an encrypted Parquet file`,
      input,
      state: NOTHING_DONE,
      next: 'decrypt it by the program that has its key, and name that file',
    })),
    other: misuse(({ input }: Of) => ({
      says: `${input} is no Parquet file`,
      input,
      state: NOTHING_DONE,
      next: `see what it is (file ${shellWord(input)}), and say how it is written (--format)`,
    })),
  },
  corrupt_parquet: {
    cutOff: failure(({ input }: Of) => ({
      says: `${input} begins as a Parquet file and does not end as one: it is cut off, or was not written to its end`,
      input,
      state: NOTHING_WRITTEN,
      next: again({}, { lead: 'fetch or write it again, then' }),
    })),
    inside: failure(
      ({
        input,
        why,
        column,
        from,
      }: Of & {
        why: string;
        column?: string;
        /** The number of the first row that was to be read. */
        from?: number;
      }) => ({
        says: `${input} is damaged: ${why}`,
        input,
        ...(column === undefined ? {} : { column }),
        ...(from === undefined ? {} : { line: from }),
        state: NOTHING_PUBLISHED,
        next: again({}, { lead: 'fetch or write it again, then' }),
      }),
    ),
  },
  parquet_codec: misuse(({ input, codec }: Of & { codec: string }) => ({
    says: `columns of ${input} are packed by ${codec}, which is not read here`,
    input,
    state: NOTHING_DONE,
    next: 'write it with zstd, Snappy or gzip, or without packing',
  })),
  parquet_type: misuse(({ input, column, type }: Of & { column: string; type: string }) => ({
    says: `column ${column} of ${input} is of the type ${type}, which is not read here`,
    input,
    column,
    state: NOTHING_DONE,
    next: 'leave the column out (--skip-columns; in a pipeline: unread)',
  })),
});
