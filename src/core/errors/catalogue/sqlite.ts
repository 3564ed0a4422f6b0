import { shellWord } from '../../command.js';
import { again } from '../../next.js';
import { failure, misuse, refusal, topic } from './entry.js';
import { AS_THE_COMMAND_ENDS, NOTHING_DONE, NOTHING_WRITTEN } from './state.js';

const ONLY_READ = 'nothing was published; the original was only read';

/** So many tables are proposed as a command each. */
const MOST_TABLES = 5;

const listed = (names: readonly string[]) =>
  names.length > 20 ? `${names.slice(0, 20).join(', ')}, … (${names.length} in all)` : names.join(', ');

/** Errors of SQLite files; those of their tables and columns stand in tables.ts and columns.ts. */
export const sqliteErrors = topic({
  bad_sqlite_source: {
    whatToRead: misuse(() => ({
      says: 'an SQLite file is read by a table or a query, and not both',
      next: "sqlite('app.db', { table: 'tasks' }) in a pipeline, or one of the flags (--table, --query)",
    })),
    dates: misuse(({ column, unit, units }: { column: string; unit: unknown; units: readonly string[] }) => ({
      says: `sqlite(): dates of ${column} cannot be ${JSON.stringify(unit)}`,
      next: `one of ${units.join(', ')}`,
    })),
  },
  no_file: {
    ofInput: misuse(({ name }: { name: string }) => ({
      says: `the input ${name} is read from an SQLite file, and none was named`,
      input: name,
      state: NOTHING_DONE,
      next: again({ flags: { source: 'app.db' } }, { lead: 'name the file, for all such inputs' }),
    })),
    ofOldSystem: misuse(() => ({
      says: 'the old system is an SQLite file, and none was named',
      state: NOTHING_DONE,
      next: again({ flags: { source: 'app.db' } }, { lead: 'name it' }),
    })),
    toBackUp: misuse(({ from }: { from: string }) => ({
      says: `the input ${from} is no file that can be copied`,
      state: NOTHING_WRITTEN,
      next: again({ drop: ['input', 'source'] }, { lead: 'name a file, or leave it out' }),
    })),
  },
  no_tables: refusal(({ path }: { path: string }) => ({
    says: `${path} is an SQLite database without tables`,
    input: path,
    state: NOTHING_WRITTEN,
    next: 'check the path: an application that opens a wrong name leaves such a file behind; views are named (--table)',
  })),
  which_table: misuse(({ path, tables }: { path: string; tables: readonly string[] }) => ({
    says: `${path} has ${tables.length} tables, and one is read`,
    input: path,
    state: NOTHING_DONE,
    next: [
      ...tables.slice(0, MOST_TABLES).map((table) => again({ flags: { table } })),
      ...(tables.length > MOST_TABLES
        ? [`or another one (--table): ${listed(tables.slice(MOST_TABLES))}`]
        : []),
    ],
  })),
  two_files: misuse(({ paths }: { paths: readonly string[] }) => ({
    says: `the inputs name ${paths.length} SQLite files: ${paths.join(', ')}`,
    next: paths.map((path) => again({ drop: ['input'], flags: { source: path } })),
  })),
  not_sqlite: {
    notPlain: failure(({ path }: { path: string }) => ({
      says: `${path} is not a plain file`,
      input: path,
      state: AS_THE_COMMAND_ENDS,
      next: 'an SQLite database cannot be piped: name the file',
    })),
    gzip: misuse(({ path }: { path: string }) => ({
      says: `${path} is gzip, and an SQLite database can only be read unpacked`,
      input: path,
      state: NOTHING_DONE,
      next: `gunzip -k ${shellWord(path)}   (then name the file that it makes)`,
    })),
    text: misuse(({ path, head }: { path: string; head: string }) => ({
      says: `${path} is not an SQLite database: it begins with text`,
      input: path,
      details: [`it begins with ${JSON.stringify(head)}`],
      state: NOTHING_DONE,
      next: 'is it an export (CSV, JSON)? give it a name that ends in .csv or .json; a dump (.sql): sqlite3 app.db < dump.sql',
    })),
    other: failure(({ path }: { path: string }) => ({
      says: `${path} is not an SQLite database, or it is an encrypted one`,
      input: path,
      state: NOTHING_DONE,
      next: [
        'an encrypted one (SQLCipher, SEE): export it unencrypted with the tool and key of the application, and name that file',
        "in SQLCipher: ATTACH 'plain.db' AS plain KEY ''; SELECT sqlcipher_export('plain'); DETACH plain;",
      ],
    })),
  },
  source_busy: {
    written: failure(({ path }: { path: string }) => ({
      says: `${path} is written to all the time: no copy of one moment could be made of it`,
      input: path,
      state: ONLY_READ,
      next: [
        again({}, { lead: 'stop the application, or wait until it is quiet, then' }),
        `or give a backup instead: sqlite3 ${shellWord(path)} ".backup copy.db"   (it waits for its turn)`,
      ],
    })),
    locked: failure(({ path }: { path: string }) => ({
      says: `${path} is locked by another program`,
      input: path,
      state: AS_THE_COMMAND_ENDS,
      next: again({}, { lead: 'stop the application that holds it, then' }),
    })),
  },
  corrupt_database: failure(({ where, path, why }: { where: string; path: string; why: string }) => ({
    says: `${where} is damaged: ${why}`,
    input: path,
    state: ONLY_READ,
    next: [
      `see how far it goes: sqlite3 ${shellWord(path)} "PRAGMA integrity_check"`,
      `save what can be saved: sqlite3 ${shellWord(path)} .recover | sqlite3 recovered.db   (then name recovered.db)`,
      'or go back to its last good backup',
    ],
  })),
  sqlite_memory: failure(({ where, path, why }: { where: string; path: string; why: string }) => ({
    says: `${where}: ${why}`,
    input: path,
    state: AS_THE_COMMAND_ENDS,
    next: 'SQLite sorts in memory here: leave ORDER BY out, or order by an indexed column',
  })),
  sqlite_thread: failure(({ path, why }: { path: string; why: string }) => ({
    says: `reading ${path} broke off: ${why}`,
    input: path,
    state: AS_THE_COMMAND_ENDS,
    next: again(
      {},
      {
        lead: 'where it was memory, give Node more (NODE_OPTIONS=--max-old-space-size=4096) or order by an indexed column; then',
      },
    ),
  })),
  unclear_dates: refusal(
    ({
      name,
      path,
      which,
      column,
      key,
    }: {
      name: string;
      path: string;
      /** `column a`, `columns a, b`. */
      which: string;
      column: string;
      /** The column as a key of an object in JavaScript. */
      key: string;
    }) => ({
      says: `${name} (${path}): the numbers in ${which} are not dates of one unit that could be told by their size`,
      input: path,
      column,
      state: NOTHING_WRITTEN,
      next: [
        `say what they are, in the pipeline, beside the table or query: dates: { ${key}: 'milliseconds' }   (seconds, milliseconds, microseconds, nanoseconds, julian, or text where they are no dates)`,
        'where they are of several units, or none, correct the rows, or let a query make them one',
      ],
    }),
  ),
});
