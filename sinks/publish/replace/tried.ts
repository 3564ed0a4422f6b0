import type { Client } from 'pg';
import { isError } from '../../../src/core/errors/is-error.js';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import type { Next } from '../../../src/core/next.js';
import { plural } from '../../../src/core/plural.js';
import type { TableFacts } from '../../../src/db/catalog/facts.js';
import { readTable } from '../../../src/db/catalog/table.js';
import { isLockFailure } from '../../../src/db/locks/attempts.js';
import { openTo } from '../../../src/db/own-schemas.js';
import { sqlstateOf } from '../../../src/db/server-error.js';

import { OUR_SETTINGS, windowSql } from '../window.js';
import { differences } from './differences.js';
import { dressStatements } from './dress.js';
import { asValidated, type FinishedTable, liveOf, stagingDiffers } from './finish.js';
import { addKey, keyedIndexes, type SwapKey, swapKeys } from './foreign-keys.js';
import { assertIndex } from './keys.js';
import { type StagingNames, SWAP_KEY } from './names.js';
import { CATALOG_CHANGED, replaceParts } from './parts.js';
import { placing, structureStatements } from './reconcile.js';
import type { Refusal } from './refusals.js';
import { nameArrayType } from './row-type.js';
import { makeBatchSchemas, makeStaged, type StagedTable } from './staging.js';
import type { Survey } from './surveyed.js';

/** What came of trying a swap out. */
export interface Tried {
  /** Why the run would end with nothing published; the first reason that was met, or none. */
  readonly refusals: readonly Refusal[];
  /** Why something could not be tried; the run may yet do it. */
  readonly untried?: string;
}

/** With more tables, locks would be held for longer than nobody notices. */
const TABLES = 20;

/** As good as not waiting for a lock: nobody queues up behind us. */
const LOCK_MS = 1;

/**
 * Does what a run would do to the catalog, with empty tables, in a transaction that is rolled back: makes staging,
 * indexes, constraints and keys, compares it with live, and swaps. Whatever can only be known by doing it is known then
 * before a row is loaded. No lock is waited for: where somebody holds one that is in the way, it is left untried and
 * said so. On live, and on tables that have keys to it, locks are held for milliseconds at the end, as in the swap
 * itself; before that nothing but ACCESS SHARE. `survey` must have no refusals. `client` is a session of its own, and
 * is idle again afterwards.
 */
export async function tryReplace(client: Client, survey: Survey): Promise<Tried> {
  const tag = `sluice_tried_${process.pid}_${Math.random().toString(36).slice(2, 10)}`;
  const names: StagingNames = { staging: tag, old: `${tag}_old` };
  const at = { table: survey.tables[0] as TableFacts };
  try {
    await client.query(
      // Definitions are compared as text with those of the survey, which has these settings.
      `BEGIN; ${OUR_SETTINGS.join('; ')}; SET LOCAL default_tablespace = ''; SET LOCAL lock_timeout = ${LOCK_MS}; SET LOCAL statement_timeout = 2000`,
    );
    const staged = await stage(client, survey, names, at);
    if (survey.tables.length > TABLES)
      return { refusals: [], untried: `a swap of more than ${plural(TABLES, 'table')} at once` };
    const finished = await finish(client, survey, staged, at);
    await client.query(
      // Keys are not validated, since staging is empty: so the tables are not quite what they would be.
      windowSql(
        replaceParts(survey, finished, names).map((part) => ({ ...part, proofs: [] })),
        {
          lockTimeoutMs: LOCK_MS,
          statementTimeoutMs: 400,
          ledger: [],
          rehearse: true,
          held: true,
        },
      ),
    );
    return { refusals: [] };
  } catch (error) {
    return judged(error, at.table);
  } finally {
    await client.query('ROLLBACK').catch(() => {});
  }
}

interface At {
  /** The table that is being tried, for what an error is said to be about. */
  table: TableFacts;
}

/** A staged table like live; `facts`: what it is, where nothing has been done since they were read. */
interface Dressed extends StagedTable {
  readonly facts?: TableFacts;
}

/** Everything that needs no lock on a table that is not ours. */
async function stage(client: Client, survey: Survey, names: StagingNames, at: At): Promise<Dressed[]> {
  const schemas = await makeBatchSchemas(client, survey, names);
  const staged: Dressed[] = [];
  for (const live of survey.tables) {
    at.table = live;
    const { staging } = schemas.get(live.schema) as StagingNames;
    // What dresses the table before has closed it.
    await client.query(openTo(staging, [live.owner]).join('; '));
    const { made: table, facts } = await makeStaged(client, live, staging);
    const made = structureStatements(live, facts, table, keyedIndexes(survey, live));
    const indexes = [...made.firstIndexes, ...made.indexes].flatMap((index) => [placing(index), index.sql]);
    const usual = "SET LOCAL default_tablespace = ''";
    const statements = [
      ...made.drop,
      ...made.columns,
      ...indexes,
      usual,
      ...made.constraints,
      ...made.statistics,
    ];
    await client.query(statements.join(';\n'));
    await nameArrayType(client, live, table);
    const built = await factsOf(client, table);
    const dress = dressStatements(live, built, table);
    if (dress.length > 0) await client.query(dress.join(';\n'));
    staged.push({ ...table, ...(dress.length > 0 || survey.tables.length > 1 ? {} : { facts: built }) });
  }
  return staged;
}

/** Keys both ways, and whether staging is then what live is. */
async function finish(
  client: Client,
  survey: Survey,
  staged: readonly Dressed[],
  at: At,
): Promise<FinishedTable[]> {
  const keys = swapKeys(survey, staged);
  if (keys.length > 0) await client.query(keys.map(addKey).join(';\n'));
  for (const key of keys) {
    at.table = tableOf(survey, key) ?? at.table;
    await assertIndex(client, key);
  }
  const tables: FinishedTable[] = [];
  for (const { facts, ...table } of staged) {
    const live = liveOf(survey, table);
    at.table = live;
    const have = keys.length === 0 && facts !== undefined ? facts : await factsOf(client, table);
    // Nothing is validated here, where there are no rows.
    const validated = (facts: TableFacts) =>
      asValidated(
        facts,
        facts.constraints.map(({ name }) => ({ staged: name })),
      );
    const differing = differences(validated(live), validated(have), table, staged);
    if (differing.length > 0) throw await stagingDiffers(client, live, differing);
    tables.push({
      ...table,
      rows: 0n,
      writers: [],
      reached: {},
      serverStart: null,
      typeGrants: have.typeGrants,
    });
  }
  return tables;
}

const nameOf = ({ schema, table }: TableFacts) => `${schema}.${table}`;

const tableOf = (survey: Survey, key: SwapKey) => survey.tables.find((table) => nameOf(table) === key.onLive);

const factsOf = async (client: Client, table: StagedTable) =>
  (await readTable(client, table.oid)) as TableFacts;

/** Locks, limits, and a server that takes no writes say nothing of the swap itself. */
function judged(error: unknown, table: TableFacts): Tried {
  const refused = (reason: string, next: Next = []): Tried => ({
    refusals: [{ table: nameOf(table), object: nameOf(table), reason, next: [next].flat(), stays: true }],
  });
  if (error instanceof SluiceError) {
    const [detail] = isError(error, 'staging_differs') ? (error.facts.details ?? []) : [];
    const { message } = error;
    return refused(detail === undefined ? message : `${message}: ${detail}`, error.facts.next);
  }
  const sqlstate = sqlstateOf(error);
  if (sqlstate === undefined) throw error;
  const { message, where } = error as { message: string; where?: string };
  if (isLockFailure(error))
    return {
      refusals: [],
      untried: 'the swap, since others hold locks on the tables, or on what depends on them',
    };
  // Staging of another batch has its key on the other table already, or a broken one has left it there.
  if (sqlstate === '42710' && message.includes(SWAP_KEY))
    return { refusals: [], untried: 'the swap, since another batch is at it' };
  // Citus refuses much under the SQLSTATE of an internal error.
  const unsure = table.distribution === null ? /^(25|40|53|55|57|08|XX)/ : /^(25|40|53|55|57|08)/;
  if (sqlstate === CATALOG_CHANGED || unsure.test(sqlstate))
    return { refusals: [], untried: `the swap: ${message}` };
  const context = where === undefined ? '' : ` (${where.split('\n')[0]})`;
  return refused(`the server refuses a table like it in its place: ${message}${context}`);
}
