/**
 * What Sluice promises to pipelines and programs. Nothing is exported that is not named here; docs/api/sluice.md tells
 * what each is, and a change of it is a line of the changelog.
 */

export type { FlowAccount, Reasons, SinkAccount, StageAccount } from './core/accounting.js';
export {
  type Assessment,
  type AssessmentDeclaration,
  allowed,
  type BackupDeclaration,
  type Dialects,
  type Figure,
  type FigureRow,
  type Figures,
  type FiguresQuestion,
  figures,
  inOrder,
  type OldSystem,
  orphans,
  type Quality,
  type QualityQuestion,
  required,
  rule,
  type Severity,
} from './core/assessment.js';
export type { Changes } from './core/changes.js';
export type { Change, Flags, FlagValue } from './core/command.js';
export type { Compatibility, CompatibilityView } from './core/compatibility.js';
export { detachString, detachValue } from './core/detach.js';
export type { ErrorAnswer } from './core/errors/answer.js';
export { failed, interrupted, refused, usage } from './core/errors/author.js';
export { nearest } from './core/errors/nearest.js';
export { type ErrorFacts, type ErrorKind, EXIT, SluiceError } from './core/errors/sluice-error.js';
export { type Branch, type FlowBuilder, type FlowPlan, flow } from './core/flow.js';
export { ExactNumber, isExactNumber } from './core/json/exact-number.js';
export { jsonText } from './core/json/write.js';
export { leaveBehind, leavingBehind, leftBehind, nothingLeftBehind } from './core/left-behind.js';
export type { FieldMapping, MappingsDefinition } from './core/mapping.js';
export { again, command, type Next, type NextStep, type Said, Suggestion } from './core/next.js';
export { onlyRow } from './core/only-row.js';
export {
  type Check,
  type CheckContext,
  check,
  type Finding,
  type Given,
  type GuardContext,
  type KeptRecords,
  type NewTable,
  offenders,
  type Pipeline,
  type PipelineDefinition,
  pipeline,
  type RecordKind,
  type Setting,
  type TableColumn,
  type Validation,
  type ValidationContext,
  validation,
} from './core/pipeline.js';
export { noun, orMore, plural, withRest } from './core/plural.js';
export type { FrequentError, RecordTypeSummary } from './core/record-summary.js';
export type { Report } from './core/report.js';
export {
  type AnyRow,
  anyColumns,
  CHUNK_ROWS,
  type Chunk,
  type Column,
  markOrigin,
  originOf,
  type Row,
  type Rows,
  type TextRow,
} from './core/row.js';
export type { Database, Log, Rejection, Run, Session } from './core/run.js';
export type { StoredReject } from './core/stored-reject.js';
export { append, merge, type PublishMode, patch, replace, sync, type Target } from './core/target.js';
export {
  type DateUnit,
  named,
  type Sink,
  type Source,
  type SqliteType,
  type Stage,
  type Staging,
  stateless,
  together,
  type Within,
  within,
} from './core/types.js';
export { type View, view } from './core/view.js';
export type { Batch, InputProgress } from './db/ledger/batches.js';
export type { Published } from './db/ledger/published.js';
export { type NothingLost, nothingLost } from './db/nothing-lost.js';
export { ident, literal } from './db/quote.js';
export type { BatchInfo } from './program/batch-info.js';
export type { CheckFinding, CheckResult } from './program/checked.js';
export {
  batches,
  checkPipeline,
  dryRun,
  load,
  rehearse,
  rollback,
  run,
  status,
  swap,
} from './program/index.js';
export type { GivenFile, InputGiven, InputsGiven } from './program/inputs-given.js';
export type {
  CallOptions,
  CheckOptions,
  DatabaseGiven,
  Progress,
  RollbackOptions,
  RunEvents,
  RunOptions,
  RunResult,
  SwapOptions,
  TrialOptions,
} from './program/options.js';
export type { PipelineGiven } from './program/pipeline-file.js';
export type { RunChoices } from './run/given/choices.js';
export type { IntoFiles } from './run/given/into-files.js';
export type { Plan, PlannedTable } from './run/given/plan.js';
export type { Summary } from './run/given/summary.js';
export type { RolledBack, UndoneTable } from './run/rollback/rolled-back.js';
export { type CsvOptions, type CsvRow, csv } from './sources/csv/index.js';
export { likelyDelimiter } from './sources/csv/likely-delimiter.js';
export { type FileOptions, fileSource } from './sources/file.js';
export type { FileFormat } from './sources/format.js';
export { type JsonOptions, json } from './sources/json/index.js';
export { type JsonlOptions, jsonl } from './sources/json/jsonl.js';
export { memory } from './sources/memory.js';
export { type ParquetOptions, parquet } from './sources/parquet/index.js';
export { type QueryOptions, query } from './sources/postgres/index.js';
export { type JoinedOptions, joined, type PartitionBy, type RangedText } from './sources/postgres/joined.js';
export type { KeyRange } from './sources/postgres/key-range.js';
export type { QueryText } from './sources/postgres/query-text.js';
export { type SqliteOptions, type SqliteQuery, sqlite } from './sources/sqlite/index.js';
export { type XlsxOptions, xlsx } from './sources/xlsx/index.js';
