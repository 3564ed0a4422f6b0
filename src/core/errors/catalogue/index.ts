import { backupErrors } from './backup.js';
import { clusterErrors } from './cluster.js';
import { columnErrors } from './columns.js';
import { commandErrors } from './command-line.js';
import { connectionErrors } from './connection.js';
import { copyErrors } from './copy.js';
import { csvErrors } from './csv.js';
import { distributedErrors } from './distributed.js';
import { embeddedErrors } from './embedded.js';
import { exportErrors } from './export.js';
import { fileErrors } from './files.js';
import { fillingErrors } from './filling.js';
import { headerErrors } from './headers.js';
import { inputErrors } from './inputs.js';
import { jsonErrors } from './json.js';
import { ledgerErrors } from './ledger.js';
import { loadErrors } from './load.js';
import { newErrors } from './new.js';
import { parquetErrors } from './parquet.js';
import { pipelineErrors } from './pipelines.js';
import { publishErrors } from './publish.js';
import { queryErrors } from './query.js';
import { remoteErrors } from './remote.js';
import { replaceErrors } from './replace.js';
import { resubmitErrors } from './resubmit.js';
import { resumeErrors } from './resume.js';
import { rollbackErrors } from './rollback.js';
import { rowErrors } from './rows.js';
import { runErrors } from './run.js';
import { sqliteErrors } from './sqlite.js';
import { stageErrors } from './stages.js';
import { stagingErrors } from './staging.js';
import { tableErrors } from './tables.js';
import { testingErrors } from './testing.js';
import { textErrors } from './text.js';
import { xlsxErrors } from './xlsx.js';
import { zipErrors } from './zip.js';

type Topics = readonly [
  typeof backupErrors,
  typeof clusterErrors,
  typeof columnErrors,
  typeof commandErrors,
  typeof connectionErrors,
  typeof copyErrors,
  typeof csvErrors,
  typeof distributedErrors,
  typeof embeddedErrors,
  typeof resubmitErrors,
  typeof exportErrors,
  typeof fileErrors,
  typeof fillingErrors,
  typeof headerErrors,
  typeof inputErrors,
  typeof jsonErrors,
  typeof ledgerErrors,
  typeof loadErrors,
  typeof newErrors,
  typeof pipelineErrors,
  typeof publishErrors,
  typeof queryErrors,
  typeof remoteErrors,
  typeof replaceErrors,
  typeof resumeErrors,
  typeof rollbackErrors,
  typeof rowErrors,
  typeof runErrors,
  typeof parquetErrors,
  typeof xlsxErrors,
  typeof zipErrors,
  typeof sqliteErrors,
  typeof stageErrors,
  typeof stagingErrors,
  typeof tableErrors,
  typeof testingErrors,
  typeof textErrors,
];

type CodesOf<Topic> = Topic extends unknown ? keyof Topic : never;

/** A code of an error of Sluice's own. Pipelines have others besides. */
export type ErrorCode = CodesOf<Topics[number]>;

const all: Topics = [
  backupErrors,
  clusterErrors,
  columnErrors,
  commandErrors,
  connectionErrors,
  copyErrors,
  csvErrors,
  distributedErrors,
  embeddedErrors,
  resubmitErrors,
  exportErrors,
  fileErrors,
  fillingErrors,
  headerErrors,
  inputErrors,
  jsonErrors,
  ledgerErrors,
  loadErrors,
  newErrors,
  pipelineErrors,
  publishErrors,
  queryErrors,
  remoteErrors,
  replaceErrors,
  resumeErrors,
  rollbackErrors,
  rowErrors,
  runErrors,
  parquetErrors,
  xlsxErrors,
  zipErrors,
  sqliteErrors,
  stageErrors,
  stagingErrors,
  tableErrors,
  testingErrors,
  textErrors,
];

/**
 * All topics: what docs/errors.md is made from. Who throws imports the topic alone.
 * @internal
 */
export const topics: readonly Readonly<Record<string, unknown>>[] = all;
