import type { Client } from 'pg';
import { publishErrors } from '../../../src/core/errors/catalogue/publish.js';
import { replaceErrors } from '../../../src/core/errors/catalogue/replace.js';
import { stagingErrors } from '../../../src/core/errors/catalogue/staging.js';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { additionRefusal, readEventTriggers, takeOffAdditions } from '../../../src/db/catalog/additions.js';
import type { TableFacts } from '../../../src/db/catalog/facts.js';
import { inTransaction, withCatalog } from '../../../src/db/catalog/session.js';
import { readTable, readTables } from '../../../src/db/catalog/table.js';
import { patiently } from '../../../src/db/locks/patiently.js';
import { admit } from '../../../src/db/own-schemas.js';
import type { Patience } from '../../../src/db/patience.js';
import { ident, qualified } from '../../../src/db/quote.js';
import { type ServerError, sqlstateOf } from '../../../src/db/server-error.js';
import { withoutNotValid } from './definitions.js';
import { differences } from './differences.js';
import { dressStatements } from './dress.js';
import { keyedIndexes, type SwapKey, swapKeys } from './foreign-keys.js';
import { freezeAndAnalyze } from './freeze.js';
import { makeKeys } from './keys.js';
import { buildIndex, structureStatements } from './reconcile.js';
import { nameArrayType } from './row-type.js';
import { shapeDifferences, shapeRefusal } from './shape.js';
import type { StagedTable } from './staging.js';
import type { Survey } from './surveyed.js';

export interface FinishOptions {
  /**
   * Rows that staging must hold, by `schema.table` of the live table; one left out was not loaded: it is only counted,
   * and its `writers` are empty.
   */
  readonly expectedRows: ReadonlyMap<string, number | bigint>;
  /** Other tables, `schema.table`, whose rows the same window changes: keys from and to them may hold only then. */
  readonly changing?: ReadonlySet<string>;
  readonly patience: Patience;
  readonly onProgress?: (text: string) => void;
  /** Further sessions for index builds; `sessions` at once, the given client among them (default 2). */
  readonly connect?: () => Promise<Client | undefined>;
  readonly sessions?: number;
  /** How long to wait for transactions older than the load (default 60 s). */
  readonly freezeWaitMs?: number;
}

/** What publishing needs to know of a staged table that is ready. */
export interface FinishedTable extends StagedTable {
  readonly rows: bigint;
  /**
   * The transactions that wrote these rows, as the rows' xmin has them: what is in the table after the publish and
   * bears another one was written by somebody else, however old that writer's transaction is.
   */
  readonly writers: readonly string[];
  /** For each sequence behind a column, the highest (or, counting down, lowest) value loaded. */
  readonly reached: Readonly<Record<string, string>>;
  /** Staging was unlogged: this server start must still be the running one when it is published. */
  readonly serverStart: string | null;
  /** Privileges that its row type has now; null or left out: the built-in ones. */
  readonly typeGrants?: TableFacts['typeGrants'];
  /** Foreign keys, on it and towards it, that the window is to validate after all row changes. */
  readonly later?: readonly SwapKey[];
}

export interface FinishReport {
  readonly tables: readonly FinishedTable[];
}

/**
 * Makes loaded staged tables ready to take their live tables' places: counts the rows, builds what
 * `survey` (a fresh one) says live has, foreign keys both ways among it, freezes and analyses, and at last
 * compares every fact with live's. Can be repeated, after live was altered say: it changes only what
 * differs. Throws refused('shape'), failed('row_count'), refused('orphans'), refused('old_snapshot'),
 * failed('staging_differs'), or the server's error for a unique or exclusion constraint that the rows
 * break (refused('constraint')). Live's rows and tables stay as they are, but for foreign keys that other
 * tables get towards staging at the end: publish soon, or take them off with releaseLive.
 */
export async function finishStaging(
  client: Client,
  survey: Survey,
  staged: readonly StagedTable[],
  options: FinishOptions,
): Promise<FinishReport> {
  const { patience, onProgress: progress = () => {} } = options;
  const facts = async (table: StagedTable) =>
    (await withCatalog(client, () => readTable(client, table.oid))) as TableFacts;
  const counts = new Map<number, Counted>();
  const loaded = await withCatalog(client, () =>
    readTables(
      client,
      staged.map(({ oid }) => oid),
    ),
  );
  for (const [at, table] of staged.entries()) {
    const live = liveOf(survey, table);
    const shape = shapeDifferences(live, loaded[at] as TableFacts);
    if (shape.length > 0) throw shapeRefusal(`${live.schema}.${live.table}`, shape);
    progress(`count rows of ${table.schema}.${table.table}`);
    counts.set(table.oid, await countRows(client, table, options.expectedRows));
  }
  const keys = swapKeys(survey, staged);
  const changed = await takeOffAdditions(client, { oids: staged.map(({ oid }) => oid) });
  for (const [at, table] of staged.entries()) {
    const have = changed ? await facts(table) : (loaded[at] as TableFacts);
    await build(client, survey, have, table, options);
  }
  // From here on keys ask in staging in the name of its tables' owners, and the load is over.
  await patiently(
    client,
    patience,
    staged.flatMap((table) => admit(table.schema, [liveOf(survey, table).owner])),
  );
  const outbound = keys.filter((key) => key.name === key.staged);
  const { changing = new Set() } = options;
  const later = await makeKeys(client, outbound, patience, changing, progress);
  const waitMs = options.freezeWaitMs ?? 60_000;
  await freezeAndAnalyze(client, staged, { waitMs, patience, onProgress: progress });
  const tables: (FinishedTable & Required<Pick<FinishedTable, 'later'>>)[] = [];
  for (const table of staged) {
    const live = liveOf(survey, table);
    await inTransaction(client, ["SET LOCAL search_path = ''"], () => nameArrayType(client, live, table));
    const built = await facts(table);
    const dress = dressStatements(live, built, table);
    if (dress.length > 0) await patiently(client, patience, dress);
    const have = dress.length > 0 ? await facts(table) : built;
    const own = later.filter(({ on }) => on.schema === table.schema && on.table === table.table);
    const differing = differences(live, asValidated(have, own), table, staged);
    if (differing.length > 0) throw await stagingDiffers(client, live, differing);
    tables.push({
      ...table,
      later: own,
      ...(counts.get(table.oid) as Counted),
      reached: await reached(client, live, table),
      serverStart: live.persistence === 'u' ? await serverStart(client) : null,
      typeGrants: have.typeGrants,
    });
  }
  // Last, since from here on writes to these tables must suit staging as well as live.
  const inbound = keys.filter((key) => key.name !== key.staged);
  const towards = await makeKeys(client, inbound, patience, changing, progress);
  const withTowards = tables.map((table) => ({
    ...table,
    later: [...table.later, ...towards.filter(({ parentLive }) => parentLive === nameOf(table.target))],
  }));
  return { tables: withTowards };
}

const nameOf = ({ schema, table }: StagedTable['target']) => `${schema}.${table}`;

/** The facts as they are once `keys` are validated. Pure. */
export function asValidated(facts: TableFacts, keys: readonly Pick<SwapKey, 'staged'>[]): TableFacts {
  return {
    ...facts,
    constraints: facts.constraints.map((key) =>
      key.type === 'f' && keys.some(({ staged }) => staged === key.name)
        ? { ...key, validated: true, definition: withoutNotValid(key.definition) }
        : key,
    ),
  };
}

/** The error of a staged table that is not like live; it blames event triggers where there are some. */
export async function stagingDiffers(
  client: Client,
  live: TableFacts,
  differing: readonly string[],
): Promise<SluiceError> {
  const name = `${live.schema}.${live.table}`;
  const triggers = await readEventTriggers(client);
  if (triggers.length > 0) return additionRefusal(name, differing, triggers);
  return stagingErrors.staging_differs.shape({ table: name }, { details: differing });
}

/** The surveyed facts of the live table that `table` is for. */
export function liveOf(survey: Survey, table: StagedTable): TableFacts {
  const live = survey.tables.find((each) => each.oid === table.target.oid);
  if (live === undefined) {
    throw publishErrors.catalog_changed.otherTable({ table: `${table.target.schema}.${table.target.table}` });
  }
  return live;
}

/** Rows of a staged table, and the transactions that wrote them. */
type Counted = Pick<FinishedTable, 'rows' | 'writers'>;

/**
 * Counts a staged table's rows by the transaction that wrote them: nobody else can write to staging, so each of these
 * is one of the load's. Pure.
 */
function countSql({ schema, table }: Pick<StagedTable, 'schema' | 'table'>): string {
  return `SELECT coalesce(pg_catalog.sum(w.rows), 0)::text AS rows, coalesce(pg_catalog.json_agg(w.xid), '[]') AS writers FROM (SELECT s.xmin::text AS xid, pg_catalog.count(*) AS rows FROM ONLY ${qualified(schema, table)} s GROUP BY s.xmin) w`;
}

/** A table that comes back by an undo was written by as many transactions as it has rows, and nobody asks for them. */
async function countAlone(client: Client, { schema, table }: StagedTable): Promise<Counted> {
  const { rows } = await client.query<{ rows: string }>(
    `SELECT pg_catalog.count(*) AS rows FROM ONLY ${qualified(schema, table)}`,
  );
  return { rows: BigInt(rows[0]?.rows ?? 0), writers: [] };
}

async function countRows(
  client: Client,
  table: StagedTable,
  expected: ReadonlyMap<string, number | bigint>,
): Promise<Counted> {
  const want = expected.get(`${table.target.schema}.${table.target.table}`);
  if (want === undefined) return countAlone(client, table);
  const { rows } = await client.query<{ rows: string; writers: string[] }>(countSql(table));
  const { rows: counted, writers } = rows[0] as { rows: string; writers: string[] };
  const count = BigInt(counted);
  if (BigInt(want) !== count) {
    throw stagingErrors.row_count({
      table: `${table.target.schema}.${table.target.table}`,
      rows: Number(count),
      loaded: Number(want),
    });
  }
  return { rows: count, writers };
}

async function build(
  client: Client,
  survey: Survey,
  have: TableFacts,
  table: StagedTable,
  options: FinishOptions,
): Promise<void> {
  const live = liveOf(survey, table);
  const structure = structureStatements(live, have, table, keyedIndexes(survey, live));
  const quick = [...structure.drop, ...structure.columns];
  if (quick.length > 0) await patiently(client, options.patience, quick);
  try {
    for (const index of structure.firstIndexes) await sideBySide(client, [buildIndex(index)], options);
    await sideBySide(client, structure.indexes.map(buildIndex), options);
    for (const sql of [...structure.constraints, ...structure.statistics]) {
      options.onProgress?.(sql);
      await patiently(client, options.patience, [sql]);
    }
  } catch (error) {
    const sqlstate = sqlstateOf(error);
    if (sqlstate?.startsWith('23') !== true) throw error;
    const { message, detail } = error as ServerError;
    throw replaceErrors.constraint(
      { table: `${live.schema}.${live.table}`, why: message },
      { sqlstate, details: detail === undefined ? [] : [detail], cause: error },
    );
  }
}

/** Runs independent statements over several sessions, each taking the next one when it is free. */
async function sideBySide(
  client: Client,
  statements: readonly string[],
  options: FinishOptions,
): Promise<void> {
  const queue = [...statements];
  const work = async (session: Client) => {
    for (let sql = queue.shift(); sql !== undefined; sql = queue.shift()) {
      options.onProgress?.(sql);
      await session.query(sql).catch(async (error) => {
        // An index in a tablespace of its own is built in a transaction, which must not stay open.
        await session.query('ROLLBACK').catch(() => {});
        throw error;
      });
    }
  };
  const more = options.connect === undefined ? 0 : Math.min(options.sessions ?? 2, statements.length) - 1;
  const others = await Promise.all(Array.from({ length: Math.max(0, more) }, () => options.connect?.())).then(
    (all) => all.filter((session) => session !== undefined),
  );
  const stop = (error: unknown) => {
    queue.length = 0;
    throw error;
  };
  const done = await Promise.allSettled([client, ...others].map((session) => work(session).catch(stop)));
  await Promise.all(others.map((session) => session.end()));
  const broken = done.find((each): each is PromiseRejectedResult => each.status === 'rejected');
  if (broken !== undefined) throw broken.reason;
}

async function reached(
  client: Client,
  live: TableFacts,
  table: StagedTable,
): Promise<Record<string, string>> {
  const highest: Record<string, string> = {};
  for (const sequence of live.sequences) {
    const column = live.columns.find((each) => each.name === sequence.column);
    if (column === undefined || !/^(smallint|integer|bigint)$/.test(column.type)) continue;
    const extreme = sequence.increment.startsWith('-') ? 'min' : 'max';
    const { rows } = await client.query<{ value: string | null }>(
      `SELECT ${extreme}(${ident(column.name)})::text AS value FROM ONLY ${qualified(table.schema, table.table)}`,
    );
    const value = rows[0]?.value;
    if (value != null && BigInt(value) <= BigInt(sequence.max) && BigInt(value) >= BigInt(sequence.min)) {
      highest[`${sequence.schema}.${sequence.name}`] = value;
    }
  }
  return highest;
}

async function serverStart(client: Client): Promise<string> {
  const { rows } = await client.query<{ at: string }>('SELECT pg_postmaster_start_time()::text AS at');
  return rows[0]?.at as string;
}
