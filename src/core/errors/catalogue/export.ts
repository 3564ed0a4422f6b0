import { again, command } from '../../next.js';
import { installing } from '../../package.js';
import { failure, misuse, topic } from './entry.js';
import { AS_THE_COMMAND_ENDS, NOTHING_DONE, NOTHING_WRITTEN } from './state.js';

/** Errors of exports. */
export const exportErrors = topic({
  export_options: {
    tableOrQuery: misuse(() => ({
      says: 'name tables, or give a query (--query)',
      state: NOTHING_DONE,
      next: 'the help has examples (--help)',
    })),
    columnsOfTable: misuse(() => ({
      says: '--columns are those of a table, and a query names its own',
      state: NOTHING_DONE,
      next: again({ drop: ['columns'] }),
    })),
    columnsOfOne: misuse(() => ({
      says: '--columns are those of one table',
      state: NOTHING_DONE,
      next: again({ drop: ['columns'] }),
    })),
    severalToStdout: misuse(({ format }: { format: string }) => ({
      says: 'several tables cannot be told apart on stdout',
      state: NOTHING_DONE,
      next: again({ flags: { into: `export/%t.${format}` } }, { lead: 'a file for each (%t is its name)' }),
    })),
    severalInOne: misuse(({ into }: { into: string }) => ({
      says: `${into} is one file, and there are several tables`,
      state: NOTHING_DONE,
      next: 'put %t into the name of the file (--into): it stands for the name of the table',
    })),
    sameFile: misuse(({ path }: { path: string }) => ({
      says: `two of the tables would be in ${path}`,
      state: NOTHING_DONE,
      next: 'export one of them by itself',
    })),
    sameSink: misuse(({ path }: { path: string }) => ({
      says: `two sinks of the pipeline are ${path}`,
      state: AS_THE_COMMAND_ENDS,
      next: 'make one sink and end both flows in it, or give one of them another name',
    })),
    isPipeline: misuse(({ path }: { path: string }) => ({
      says: `${path} is a pipeline, and this exports tables and queries`,
      state: NOTHING_DONE,
      next: command('run', [path], { into: 'out/%t.csv' }, { note: 'its rows as files' }),
    })),
    noTables: misuse(({ pipeline }: { pipeline: string }) => ({
      says: `${pipeline} has no tables whose rows could go into files: its own sinks say where they go`,
      state: NOTHING_DONE,
      next: again({ drop: ['into', 'format', 'overwrite'] }),
    })),
    rowsAsParquet: misuse(() => ({
      says: 'the rows of a pipeline have no types, and a Parquet file needs them',
      state: NOTHING_DONE,
      next: [
        again({ flags: { format: 'csv' } }, { lead: 'give the file a name that ends in .csv or .jsonl, or' }),
        command('export', [], {}, { note: 'writes tables and queries into Parquet' }),
      ],
    })),
    fileEach: misuse(() => ({
      says: '%n numbers files, and a run makes one for each table',
      state: NOTHING_DONE,
      next: 'leave %n out of the name (--into); %t stands for the name of the table',
    })),
    onlyInto: misuse(({ option }: { option: string }) => ({
      says: `--${option} is of files, and the rows go into the tables of the pipeline`,
      state: NOTHING_DONE,
      next: 'name a file for them as well (--into)',
    })),
    live: misuse(({ pipeline, table }: { pipeline: string; table: string }) => ({
      says: `the stages of ${pipeline} read the live table ${table}, and rows that go into files have none`,
      state: NOTHING_WRITTEN,
      next: again(
        { drop: ['into', 'format', 'overwrite'], flags: { dryRun: true } },
        { note: 'reads and checks all rows' },
      ),
    })),
    filesNumbered: misuse(({ into }: { into: string | undefined }) => ({
      says:
        into === undefined
          ? '--rows-per-file is of files, and the data goes to stdout'
          : `--rows-per-file makes several files, and ${into} is one name`,
      state: NOTHING_DONE,
      next: 'put %n into the name of the file (--into): it stands for 001, 002, …',
    })),
    rowsPerFile: misuse(() => ({
      says: '%n numbers files, and nothing says how many rows one has',
      state: NOTHING_DONE,
      next: again({ flags: { rowsPerFile: '1000000' } }),
    })),
    packedByName: misuse(({ packing }: { packing: string }) => ({
      says: '--compress is for stdout; a file is compressed as its name says',
      state: NOTHING_DONE,
      next: again({ drop: ['compress'] }, { lead: `give the file a name that ends in .${packing}, then` }),
    })),
    parquetIsPacked: misuse(() => ({
      says: 'a Parquet file is compressed inside, and nothing reads one that is packed again',
      state: NOTHING_DONE,
      next: again({ drop: ['compress'] }, { lead: 'leave the ending .gz or .zst out, then' }),
    })),
    ofCsv: misuse(({ format }: { format: string }) => ({
      says: `--delimiter, --null and --no-header are of CSV, and this is ${format}`,
      state: NOTHING_DONE,
      next: again({ drop: ['delimiter', 'null', 'header'] }),
    })),
    badDelimiter: misuse(() => ({
      says: 'a delimiter is one character of ASCII, and no quote',
      state: NOTHING_DONE,
      next: again({ flags: { delimiter: 'tab' } }, { lead: 'a tab, say' }),
    })),
    badNull: misuse(() => ({
      says: 'the text for NULL may hold no delimiter, quote or line end',
      state: NOTHING_DONE,
      next: "another text (--null '\\N', say)",
    })),
    jsonOnStdout: misuse(() => ({
      says: '--json prints on stdout, where the data goes',
      state: NOTHING_DONE,
      next: again({ drop: ['json'] }, { lead: 'name a file for the data (--into), or' }),
    })),
    binaryOnTerminal: misuse(({ what }: { what: string }) => ({
      says: `${what} is not for a terminal`,
      state: NOTHING_DONE,
      next: 'name a file (--into), or send it on: … > file',
    })),
  },
  export_exists: {
    named: misuse(({ path }: { path: string }) => ({
      says: `${path} is there already`,
      state: NOTHING_DONE,
      next: again({ flags: { overwrite: true } }, { lead: 'name another file (--into), or write over it' }),
    })),
    ofSink: misuse(({ path }: { path: string }) => ({
      says: `${path} is there already`,
      state: NOTHING_DONE,
      next: 'move it away, or let the pipeline write over it (the sink’s option overwrite; of a run with --into: --overwrite)',
    })),
  },
  no_parquet: misuse(() => ({
    says: 'a Parquet file is written by the package hyparquet-writer, which is not installed here',
    state: NOTHING_DONE,
    next: [installing('hyparquet-writer'), again({ flags: { format: 'csv' } }, { lead: 'or as CSV' })],
  })),
  not_for_parquet: failure(({ column, type, value }: { column: string; type: string; value: string }) => ({
    says: `column ${column} (${type}): Parquet has no such value as ${value}`,
    state: 'no file was made; the database was only read',
    next: 'leave it out by a query (--query), or cast the column to text there',
  })),
});
