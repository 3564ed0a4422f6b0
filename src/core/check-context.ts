import type { OldSystem } from './assessment.js';
import type { FieldMapping } from './mapping.js';
import type { Database, Log } from './run.js';

/** A column of a table, and what it takes. */
export interface TableColumn {
  readonly name: string;
  /** As SQL writes it: `varchar(255)`, `numeric(12,2)`, `integer`. */
  readonly type: string;
  /** varchar(n) and char(n): characters. */
  readonly length?: number;
  /** numeric(p,s). */
  readonly precision?: number;
  readonly scale?: number;
  readonly notNull: boolean;
  /** The database computes it. */
  readonly generated?: 'stored' | 'virtual';
}

/** What checks are given: the database before anything is written. */
export interface CheckContext {
  readonly database: Database;
  readonly settings: Readonly<Record<string, string>>;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** The quoted, qualified name of the live table behind one of the pipeline's tables, for SQL. */
  live(table: string): string;
  /** True where the input was given on the command line, in place of the declared source. */
  replaced(input: string): boolean;
  /** The system that the inputs come from, in the state that they are read in. Throws where they name none. */
  old(): Promise<OldSystem>;
  /** True where the table behind one of the pipeline's is not there yet, and a run would make it. */
  missing(table: string): boolean;
  /** How the command line finds the pipeline: its name, or the path of its file. */
  readonly from: string;
  /** Where the pipeline declares mappings: those that `flows` is given. */
  readonly mappings: readonly FieldMapping[];
  /**
   * The columns of an input that is a file, as its first rows have them. Undefined for other inputs, for JSON, for a file
   * that can be read only once, for one without rows, and for one that cannot be read, as its own check tells.
   */
  columnsOf(input: string): Promise<readonly string[] | undefined>;
  /**
   * The columns that an input has besides those it declares, and which the flows do not know: of the table that it reads
   * (`table` of a query or of an SQLite file), or of a file's first rows. Empty where that cannot be told.
   */
  columnsBeside(input: string): Promise<readonly string[]>;
  /**
   * The columns that the table behind one of the pipeline's has, with their types; of one that is missing, those that
   * it would be made with.
   */
  tableColumns(table: string): Promise<readonly TableColumn[]>;
}
