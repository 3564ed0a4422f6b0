import { columnErrors } from './columns.js';
import { connectionErrors } from './connection.js';
import { csvErrors } from './csv.js';
import { embeddedErrors } from './embedded.js';
import { fileErrors } from './files.js';
import { fillingErrors } from './filling.js';
import { jsonErrors } from './json.js';
import { ledgerErrors } from './ledger.js';
import { queryErrors } from './query.js';
import { sqliteErrors } from './sqlite.js';
import { tableErrors } from './tables.js';
import { textErrors } from './text.js';

type Topics = readonly [
  typeof columnErrors,
  typeof connectionErrors,
  typeof csvErrors,
  typeof embeddedErrors,
  typeof fileErrors,
  typeof fillingErrors,
  typeof jsonErrors,
  typeof ledgerErrors,
  typeof queryErrors,
  typeof sqliteErrors,
  typeof tableErrors,
  typeof textErrors,
];

type CodesOf<Topic> = Topic extends unknown ? keyof Topic : never;

/** A code of an error of Sluice's own. Pipelines have others besides. */
export type ErrorCode = CodesOf<Topics[number]>;

const all: Topics = [
  columnErrors,
  connectionErrors,
  csvErrors,
  embeddedErrors,
  fileErrors,
  fillingErrors,
  jsonErrors,
  ledgerErrors,
  queryErrors,
  sqliteErrors,
  tableErrors,
  textErrors,
];

/** All topics: what docs/errors.md is made from. Who throws imports the topic alone. */
export const topics: readonly Readonly<Record<string, unknown>>[] = all;
