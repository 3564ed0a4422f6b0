import type { Client } from 'pg';
import type { Published, PublishOptions } from '../../sinks/publish/attempt.js';
import { publish } from '../../sinks/publish/attempt.js';
import { finishStaging } from '../../sinks/publish/replace/finish.js';
import { type StagingNames, schemasFor } from '../../sinks/publish/replace/names.js';
import { replaceParts } from '../../sinks/publish/replace/parts.js';
import { createStaging, type StagedTable } from '../../sinks/publish/replace/staging.js';
import { stripOld } from '../../sinks/publish/replace/strip.js';
import { surveyReplace } from '../../sinks/publish/replace/survey.js';
import type { ReplaceTarget, Survey } from '../../sinks/publish/replace/surveyed.js';
import { adoptAsStaging, returnRetained } from '../../sinks/publish/replace/undo.js';
import { idents, qualified } from '../../src/db/quote.js';
import type { TestDatabase } from './database.js';
import { PATIENT } from './patience.js';

export const NAMES: StagingNames = { staging: 'sluice_new', old: 'sluice_old' };
export const UNDO: StagingNames = { staging: 'sluice_undo', old: 'sluice_undone' };

/** Fills a staged table with the live table's rows. */
export async function copyLive(client: Client, table: StagedTable, where = 'true'): Promise<void> {
  const columns = idents(table.columns);
  const overriding = 'OVERRIDING SYSTEM VALUE';
  await client.query(
    `INSERT INTO ${qualified(table.schema, table.table)} (${columns}) ${overriding} SELECT ${columns} FROM ${qualified(table.target.schema, table.target.table)} WHERE ${where}`,
  );
}

export interface Swapped extends Published {
  readonly survey: Survey;
  readonly staged: readonly StagedTable[];
  readonly retries: readonly string[];
}

export type Fill = (client: Client, table: StagedTable) => Promise<void>;

/** Stages, fills, finishes and publishes `targets`, as the engine would. */
export async function swap(
  database: TestDatabase,
  targets: readonly ReplaceTarget[],
  options: Partial<PublishOptions> & {
    fill?: Fill;
    names?: StagingNames;
    strip?: boolean;
    role?: string;
    beforePublish?: () => Promise<void>;
    freezeWaitMs?: number;
  } = {},
): Promise<Swapped> {
  const client = await database.connect();
  if (options.role) await client.query(`SET SESSION AUTHORIZATION ${options.role}`);
  const names = options.names ?? NAMES;
  const staged = await createStaging(client, await surveyReplace(client, targets), names);
  for (const table of staged) await (options.fill ?? copyLive)(client, table);
  return complete(database, client, targets, staged, names, options);
}

/** Undoes a swap: the retained tables take their places back. */
export async function undo(
  database: TestDatabase,
  targets: readonly ReplaceTarget[],
  retained: readonly { target: ReplaceTarget; schema: string; table: string; oid: number }[],
  names: StagingNames = UNDO,
): Promise<Swapped> {
  const client = await database.connect();
  const survey = await surveyReplace(client, targets);
  const staged = await adoptAsStaging(client, survey, retained, names, PATIENT);
  return complete(database, client, targets, staged, names, {}).catch(async (error) => {
    await returnRetained(client, staged, retained, names, PATIENT);
    throw error;
  });
}

/** The retained tables after `swapped`. */
export const retainedBy = (swapped: Swapped, names = NAMES) =>
  swapped.survey.tables.map(({ schema, table, oid }) => ({
    target: { schema, table },
    schema: schemasFor(swapped.survey.tables, names).get(schema)?.old as string,
    table,
    oid,
  }));

async function complete(
  database: TestDatabase,
  client: Client,
  targets: readonly ReplaceTarget[],
  staged: readonly StagedTable[],
  names: StagingNames,
  options: Parameters<typeof swap>[2] & object,
): Promise<Swapped> {
  const survey = await surveyReplace(client, targets);
  const { freezeWaitMs = 5000 } = options;
  const finished = await finishStaging(client, survey, staged, {
    expectedRows: new Map(),
    freezeWaitMs,
    patience: PATIENT,
    connect: () => database.connect(),
  });
  await options.beforePublish?.();
  const retries: string[] = [];
  const connect = async () => {
    const session = await database.connect();
    if (options.role) await session.query(`SET SESSION AUTHORIZATION ${options.role}`);
    return session;
  };
  const published = await publish(connect, replaceParts(survey, finished.tables, names), {
    attempts: 10,
    ledger: [],
    onRetry: (info) => retries.push(info.reason),
    resolve: async () => 'not',
    ...options,
  });
  if (options.strip !== false && !options.rehearse) await stripOld(client, survey, names, PATIENT);
  await client.end();
  return { ...published, survey, staged, retries };
}
