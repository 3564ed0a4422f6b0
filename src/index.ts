export type { FlowAccount, Reasons, SinkAccount, StageAccount } from './core/accounting.js';
export * from './core/assessment.js';
export type { Change, Flags, FlagValue } from './core/command.js';
export type * from './core/compatibility.js';
export { detachString, detachValue } from './core/detach.js';
export * from './core/errors/index.js';
export { type Branch, type FlowBuilder, type FlowPlan, flow } from './core/flow.js';
export { ExactNumber, isExactNumber } from './core/json/exact-number.js';
export { jsonText } from './core/json/write.js';
export * from './core/left-behind.js';
export type * from './core/mapping.js';
export { again, command, type Next, type NextStep, type Said, Suggestion } from './core/next.js';
export * from './core/pipeline.js';
export { noun, orMore, plural, withRest } from './core/plural.js';
export type { Report } from './core/report.js';
export * from './core/row.js';
export type * from './core/run.js';
export * from './core/target.js';
export * from './core/types.js';
export * from './core/view.js';
export { type NothingLost, nothingLost } from './db/nothing-lost.js';
export { ident, literal } from './db/quote.js';
export type { BatchInfo } from './program/batch-info.js';
export { batches, dryRun, load, rehearse, rollback, run, status, swap } from './program/index.js';
export type { InputGiven, InputsGiven } from './program/inputs.js';
export type {
  CallOptions,
  DatabaseGiven,
  Progress,
  RollbackOptions,
  RunEvents,
  RunOptions,
  RunResult,
  SwapOptions,
  TrialOptions,
} from './program/options.js';
export type { Summary } from './run/given/summary.js';
export type { RolledBack } from './run/rollback/rolled-back.js';
export { type CsvOptions, type CsvRow, csv } from './sources/csv/index.js';
export { likelyDelimiter } from './sources/csv/likely-delimiter.js';
export { type FileFormat, type FileOptions, fileSource } from './sources/file.js';
export { type JsonOptions, json } from './sources/json/index.js';
export { type JsonlOptions, jsonl } from './sources/json/jsonl.js';
export { memory } from './sources/memory.js';
export { type QueryOptions, query } from './sources/postgres/index.js';
export { type JoinedOptions, joined } from './sources/postgres/joined.js';
export { type SqliteOptions, type SqliteQuery, sqlite } from './sources/sqlite/index.js';
