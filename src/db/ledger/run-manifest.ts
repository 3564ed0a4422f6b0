import type { CommandData } from '../../core/command.js';
import type { KeptRecords } from '../../core/pipeline.js';
import type { RowFormat } from '../../core/types.js';

/** How a batch is run and what it reads: what resuming it takes. */
export interface RunManifest {
  /** The command that began it; left out where a program did. */
  readonly command?: CommandData;
  /** The columns that staging has of each table, where the mappings then in force decided it. */
  readonly fills?: Readonly<Record<string, readonly string[]>>;
  readonly inputs: Readonly<Record<string, InputRecord>>;
  /** A hash of the code and the mappings that made the rows; left out where attempts at the batch had different ones. */
  readonly code?: string;
  readonly stopOnError?: boolean;
  /** Every input can be read again from its beginning, and the run was to publish something. */
  readonly repeatable: boolean;
  readonly guard: 'journal' | 'lock' | 'off';
  readonly publish: boolean;
  readonly allowEmpty?: boolean;
  /** In percent. */
  readonly maxShrink?: number;
  readonly noSourceData?: boolean;
  /** Which records are kept; left out: none. */
  readonly records?: KeptRecords;
  readonly maxRejects?: { readonly rows: number } | { readonly share: number };
  /** What decides how its rejects are published once they are corrected; left out by earlier versions. */
  readonly resubmit?: ResubmitFacts;
  /** Of a batch that was given corrected rejects: beside what was published, or in place of the rejected rows. */
  readonly resubmitted?: 'beside' | 'in place';
  /** What `sluice copy` was asked for: a CopyRequest. */
  readonly copy?: Readonly<Record<string, unknown>>;
}

/** What of a pipeline decides how corrected rejects are published. */
export interface ResubmitFacts {
  /** Why corrected rows of no input can be published beside the others; left out: they can. */
  readonly whole?: string;
  /** The tables that get rows anew with every run: those that are appended to or replaced. */
  readonly adds: readonly string[];
  /** Of inputs, by what rejects call them, what hinders their corrected rows. */
  readonly inputs?: Readonly<
    Record<
      string,
      {
        /** A stage that looks at rows together. */
        readonly together?: string;
        /**
         * Its rows go to several tables, and one of them gets rows anew: the names of source and stages before the fork.
         * A row that was rejected there is in none of the tables.
         */
        readonly beforeFork?: readonly string[];
      }
    >
  >;
  /** Why rejects can be corrected at the source only. */
  readonly atSource?: string;
  /** Of a copy: its table. */
  readonly into?: string;
  /** The pipeline writes only where it is told to (--execute). */
  readonly execute?: true;
}

/** An input as it was when the batch began. */
export interface InputRecord {
  readonly kind: 'file' | 'stdin' | 'query' | 'memory' | 'sqlite';
  /** It was named on the command line, in place of the declared one. */
  readonly given: boolean;
  /** What messages and rejects call it. */
  readonly label?: string;
  /** A file's absolute path, or a URL without what is secret in it. */
  readonly path?: string;
  /** How its rows are written. */
  readonly format?: RowFormat;
  /** The encoding that it was read by, where one was named. */
  readonly encoding?: string;
  /** Of what can be read again: a regular file, what is at a URL. */
  readonly print?: InputPrint;
}

/** What tells a file from another one, and from itself at another time. */
interface InputPrint {
  /** In bytes. */
  readonly size: number;
  /** Its mtime, or its Last-Modified; left out where nobody says. */
  readonly modified?: string;
  /** SHA-256 over its first and last 64 KiB; over the first alone where nothing but the beginning can be asked for. */
  readonly hash: string;
  /** Device, inode and ctime in nanoseconds, or a strong ETag: no write leaves it as it was, whatever is done to the mtime. */
  readonly touched?: string;
}
