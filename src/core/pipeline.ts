import type { FlowAccount, Reasons } from './accounting.js';
import type { AssessmentDeclaration, BackupDeclaration } from './assessment.js';
import type { CheckContext } from './check-context.js';
import type { Compatibility } from './compatibility.js';
import { pipelineErrors } from './errors/catalogue/pipelines.js';
import type { FlowPlan } from './flow.js';
import type { FieldMapping, MappingsDefinition } from './mapping.js';
import type { Next } from './next.js';
import { withRest } from './plural.js';
import { findsByKey } from './publish-mode.js';
import type { AnyRow, Row } from './row.js';
import type { Run } from './run.js';
import type { Target } from './target.js';
import type { Source } from './types.js';
import type { View } from './view.js';

export type { CheckContext, TableColumn } from './check-context.js';

/** A setting that `--set name=value` changes. */
export interface Setting {
  readonly summary: string;
  readonly default: string;
  /** The values allowed; left out: any. */
  readonly values?: readonly string[];
}

/** One thing that a check or validation found. Errors refuse; warnings and notes are shown and go on. */
export interface Finding {
  readonly severity: 'error' | 'warning' | 'note';
  readonly message: string;
  /** The offenders, bounded by whoever asks. */
  readonly details?: readonly string[];
  readonly next?: Next;
}

/** What validations are given: staging as it would be published, beside live. */
export interface ValidationContext extends CheckContext {
  /** The quoted, qualified name of the staged table, for SQL; once published (`sluice validate`), of the live one. */
  staged(table: string): string;
  /**
   * True where the batch was published before: the application has gone on since. `live` is then what stood there
   * before the publish, as far as the batch keeps it, else live itself.
   */
  readonly published: boolean;
  /**
   * A condition in SQL over a row of `staged(table)` with that alias: whether it is as the batch has written it. True of
   * all rows before the publish; of a published batch it tells its rows from the others of an appended, merged or patched
   * table, and from those that the application has changed since.
   */
  asWritten(table: string, alias: string): string;
  /**
   * The values of a column of an input, asked of the source itself once more, past the flows; NULL and '' are left out.
   * Undefined where there is no asking: of a published batch, of corrected rejects and limited runs, of what can be
   * read only once, of a file that this command does not name.
   */
  keysOf(input: string, column: string): AsyncIterable<readonly string[]> | undefined;
  /**
   * Rows of an input that its tables do not have, by reason, as the accounts of the load say; `unread`: those that the source
   * itself could not read, and which `keysOf` does not give.
   */
  setAside(input: string): { readonly read: Reasons; readonly unread: Reasons };
}

/** A question asked before anything is written. */
export interface Check {
  readonly name: string;
  readonly summary: string;
  ask(context: CheckContext): Promise<readonly Finding[]>;
}

/** A question asked of staging before it is published. */
export interface Validation {
  readonly name: string;
  readonly summary: string;
  /** What it asks is not there later: asked of a published batch it tells what is known, and vouches for nothing. */
  readonly atPublishOnly?: true;
  ask(context: ValidationContext): Promise<readonly Finding[]>;
}

/** What a pipeline's guards may hang on. */
export type GuardContext = Pick<CheckContext, 'settings' | 'replaced'>;

/** What the `flows` of a pipeline are built from: the inputs as given on the command line, the tables. */
export interface Given<I, T> {
  readonly inputs: I;
  readonly tables: T;
  readonly settings: Readonly<Record<string, string>>;
  /** Where the pipeline declares mappings: those of the source system, out of the ledger or the defaults. */
  readonly mappings: readonly FieldMapping[];
  /** How the command line finds the pipeline: its name, or the path of its file. */
  readonly from: string;
  /** The quoted, qualified name of the live table behind one of the pipeline's tables, for the SQL of stages. */
  live(table: string): string;
}

/** What the rows of one input are: records of the old system, tracked one by one in the ledger. */
export interface RecordKind {
  /** Lower case, such as `client` or `medical_record`. */
  readonly type: string;
  /**
   * The input's columns that hold the record's id in the old system; a function where the mappings in force say
   * so. Default: the id is the line.
   */
  readonly sourceId?: string | readonly string[] | ((mappings: readonly FieldMapping[]) => readonly string[]);
  /** Spaces around the id are the input's, and no part of it. Default: it is kept as the input has it. */
  readonly trimmed?: boolean;
  /** The table that the record ends in, by its name in the pipeline. Default: the input's name. */
  readonly table?: string;
  /** The whole-number column of that table which identifies the record here. Default: `id`. */
  readonly targetId?: string;
  /** The columns by which a staged row is found in live. Default: the target's key, or its id where it is loaded. */
  readonly key?: readonly string[];
}

/** The statements that make a table. */
export interface NewTable {
  /**
   * The CREATE TABLE, which must concern no other table: a dry run executes it, too, to see the columns, in a
   * transaction that it rolls back.
   */
  readonly create: string;
  /** What follows once all missing tables are there: foreign keys, indexes, comments. */
  readonly after?: readonly string[];
}

type MaybeLater<T> = T | Promise<T>;

/** A pipeline as its author writes it. */
export interface PipelineDefinition<
  I extends Record<string, Source<AnyRow>>,
  T extends Record<string, Target>,
> {
  /** kebab-case; how the command line calls it. */
  readonly name: string;
  readonly summary: string;
  readonly inputs: I;
  readonly tables: T;
  /**
   * Live tables (`table` or `schema.table`) that the run depends on without publishing them: a write to one
   * of them between the reading of the source and the publish stops the publish.
   */
  readonly guards?: readonly string[] | ((given: GuardContext) => readonly string[]);
  /** Views that the publish makes where they are missing. */
  readonly views?: readonly View[];
  /**
   * How tables that are missing are made, by their name in `tables`; asked for only where one is. Checks and
   * dry runs make none; a run makes them empty before it loads, drops them again where it publishes nothing,
   * and its rollback drops them where they are empty then. `run` is outside any flow, for what depends on the old tables.
   */
  readonly creates?: (run: Run) => MaybeLater<Readonly<Record<string, NewTable>>>;
  readonly settings?: Readonly<Record<string, Setting>>;
  readonly checks?: readonly Check[];
  readonly validations?: readonly Validation[];
  /** What `sluice assess` asks of the old system. Its errors refuse a run as those of `checks` do. */
  readonly assess?: AssessmentDeclaration;
  /** What `sluice backup` writes as CSV, and whether a run makes a backup itself. */
  readonly backup?: BackupDeclaration;
  /** Views under the old system's names over the new tables, so that both versions of an application can be in use. */
  readonly compatibility?: Compatibility;
  /** Columns whose values are kept out of the ledger, the log and the reports: personal data. */
  readonly mask?: readonly string[];
  /** What the rows of each input are, by the input's name; records are kept of these. */
  readonly records?: Readonly<Record<string, RecordKind>>;
  /** The old system, as the ledger names the source of a batch: `okvet`, say; 50 characters at most. Default: the kind of input. */
  readonly system?: string;
  /** False: `sluice run` is a dry run, and writes with --execute. */
  readonly executeByDefault?: boolean;
  /** Field mappings that users may change; the ones in force are given to `flows`. */
  readonly mappings?: MappingsDefinition;
  /**
   * The columns of tables that a run fills, by the table's name in the pipeline, where the mappings in force or the
   * database (asked through `run`, outside any flow) decide it; the others of existing rows stay as they are. `flows` is
   * given the tables with these columns. Default: all that the targets name.
   */
  fills?(
    given: Pick<Given<I, T>, 'settings' | 'mappings'> & { readonly run: Run },
  ): MaybeLater<Readonly<Record<string, readonly string[]>>>;
  flows(given: Given<I, T>): readonly FlowPlan[];
  /**
   * The pipeline's own figures out of the accounts of its flows: in the summary and, by these names (snake_case),
   * in `--json`. Asked at the end of every run that has read all of its rows, also where it is refused then.
   */
  readonly figures?: (accounts: readonly FlowAccount[]) => Readonly<Record<string, number>>;
  /**
   * Why its rejects cannot be corrected and resubmitted, where they cannot: what it publishes is compared with the old
   * tables, say. They are then corrected at the source, and whoever is told of them is told so.
   */
  readonly correctAtSource?: string;
  /**
   * Inputs whose rows must all be published: validations refuse a batch that leaves one out, so nobody is told that
   * --max-rejects does.
   */
  readonly indispensable?: readonly string[];
  /** Sentences shown before a run that is to be published is asked about: back up first, say. */
  readonly warnings?: readonly string[];
  /**
   * Reads a backup file that this pipeline wrote back into the same tables: the flows of a pipeline whose
   * publishing restores what was there before. Used by `rollback --backup-file`.
   */
  readonly restore?: (file: string, options: { readonly discardWrites: boolean }) => Pipeline;
}

/** Which records a run keeps: one of every row, only of rows with an error, or none. */
export type KeptRecords = 'all' | 'errors' | 'none';

/** A pipeline ready to run: the definition with its row types forgotten. Plain data but for functions. */
export type Pipeline = PipelineDefinition<Record<string, Source>, Record<string, Target>>;

/**
 * Declares a pipeline. Nothing is opened or read.
 * Throws a usage error for a definition that cannot run: a bad name, no inputs, a merge without a key.
 */
export function pipeline<I extends Record<string, Source<AnyRow>>, T extends Record<string, Target>>(
  definition: PipelineDefinition<I, T>,
): Pipeline {
  const { name: pipeline } = definition;
  const { bad_pipeline: bad } = pipelineErrors;
  if (!/^[a-z][a-z0-9-]*$/.test(definition.name)) throw bad.name({ pipeline });
  if (Object.keys(definition.inputs).length === 0) throw bad.noInputs({ pipeline });
  for (const target of Object.values(definition.tables)) {
    if (findsByKey(target.mode) && !target.key?.length) throw bad.noKey({ pipeline, ...target });
    if (target.mode !== 'replace' && !target.columns?.length) throw bad.noColumns({ pipeline, ...target });
  }
  for (const { mode, table, maxShrink } of Object.values(definition.tables))
    if (maxShrink !== undefined && !(maxShrink >= 0 && maxShrink <= 100))
      throw bad.maxShrink({ pipeline, mode, table });
  const names = Object.values(definition.tables).map((target) => target.table);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw bad.tableTwice({ pipeline, table: twice });
  for (const { name, beside } of definition.views ?? [])
    if (!Object.hasOwn(definition.tables, beside)) throw bad.viewBeside({ pipeline, view: name, beside });
  const { system } = definition;
  if (system !== undefined && !/^\S(?:.{0,48}\S)?$/.test(system)) throw bad.system({ pipeline, system });
  for (const [input, { type, table }] of Object.entries(definition.records ?? {})) {
    if (!Object.hasOwn(definition.inputs, input)) throw bad.recordsOf({ pipeline, input });
    if (!/^[a-z][a-z0-9_]{0,49}$/.test(type)) throw bad.recordType({ pipeline, type });
    if (!Object.hasOwn(definition.tables, table ?? input))
      throw bad.recordsEnd({ pipeline, input, table: table ?? input });
  }
  for (const input of definition.indispensable ?? [])
    if (!Object.hasOwn(definition.inputs, input)) throw bad.indispensable({ pipeline, input });
  const { setting } = definition.mappings ?? {};
  if (setting !== undefined && !Object.hasOwn(definition.settings ?? {}, setting))
    throw bad.mappings({ pipeline, setting });
  const guards = typeof definition.guards === 'object' ? definition.guards : [];
  const guardedTwice = guards.find((name, at) => guards.indexOf(name) !== at);
  if (guardedTwice !== undefined) throw bad.guardedTwice({ pipeline, table: guardedTwice });
  return definition as unknown as Pipeline;
}

/** Declares a check. */
export function check(name: string, summary: string, ask: Check['ask']): Check {
  return { name, summary, ask };
}

/** Declares a validation. */
export function validation(name: string, summary: string, ask: Validation['ask']): Validation {
  return { name, summary, ask };
}

/**
 * The findings of a query that selects offenders: none where it gives no rows, else one error with the
 * first `limit` of them as details. `describe` writes one line an offender.
 */
export function offenders<R extends AnyRow = Row>(
  rows: readonly R[],
  message: (count: number) => string,
  describe: (row: R) => string,
  more: {
    readonly next?: Next;
    readonly limit?: number;
    readonly severity?: Finding['severity'];
  } = {},
): Finding[] {
  if (rows.length === 0) return [];
  const limit = more.limit ?? 20;
  const details = withRest(rows.slice(0, limit).map(describe), rows.length);
  return [
    {
      severity: more.severity ?? 'error',
      message: message(rows.length),
      details,
      ...(more.next === undefined ? {} : { next: more.next }),
    },
  ];
}
