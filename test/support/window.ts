import type { ClientBase } from 'pg';
import { rowParts } from '../../sinks/publish/rows/parts.js';
import { precheckRows } from '../../sinks/publish/rows/precheck.js';
import { createRowStaging } from '../../sinks/publish/rows/staging.js';
import { surveyRows } from '../../sinks/publish/rows/survey.js';
import type { RowNames, RowTableFacts, RowTarget } from '../../sinks/publish/rows/target.js';
import { undoParts } from '../../sinks/publish/rows/undo.js';
import { surveyUndo } from '../../sinks/publish/rows/undo-survey.js';
import type { WindowPart } from '../../sinks/publish/window.js';
import { OUR_PATH } from '../../src/db/pinned.js';
import { qualified } from '../../src/db/quote.js';
import { TO_USERS_PATH } from '../../src/db/users-path.js';

/** Runs the parts as one simple-protocol message, phase by phase, as the publishing window does. */
export async function runWindow(client: ClientBase, parts: readonly WindowPart[]): Promise<void> {
  const locks = parts.flatMap((part) => part.locks);
  const statements = [
    'BEGIN',
    `SET LOCAL search_path = ${OUR_PATH}`,
    ...parts.flatMap((part) => part.early),
    ...parts.flatMap((part) => part.dependents),
    ...locks.map((lock) => `LOCK TABLE ${qualified(lock.schema, lock.table)} IN ${lock.mode} MODE`),
    ...parts.flatMap((part) => part.rechecks),
    ...parts.flatMap((part) => part.after),
    ...parts.flatMap((part) => part.late),
    TO_USERS_PATH,
    'COMMIT',
  ];
  try {
    await client.query(statements.join(';\n'));
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

/** Rows of a target, as text, in the order of its columns. */
export type Load = readonly [target: RowTarget, rows: readonly (readonly (string | null)[])[]];

/** Makes the batch's schemas `<batch>_new` and `<batch>_undo`. */
export async function openBatch(client: ClientBase, batch: string): Promise<RowNames> {
  const names = { staging: `${batch}_new`, undo: `${batch}_undo` };
  await client.query(`CREATE SCHEMA ${names.staging}; CREATE SCHEMA ${names.undo}`);
  return names;
}

/** Stages `rows` of one target. */
export async function stage(
  client: ClientBase,
  names: RowNames,
  [target, rows]: Load,
): Promise<RowTableFacts> {
  const facts = await surveyRows(client, target);
  const { schema, table, columns } = await createRowStaging(client, facts, names);
  const holders = columns.map((_, i) => `$${i + 1}`).join(', ');
  for (const row of rows) {
    await client.query(`INSERT INTO ${qualified(schema, table)} VALUES (${holders})`, [...row]);
  }
  return facts;
}

/** Stages, prechecks and publishes `loads` in one window. */
export async function publish(
  client: ClientBase,
  batch: string,
  ...loads: readonly Load[]
): Promise<RowNames> {
  const names = await openBatch(client, batch);
  const publishes = [];
  for (const load of loads) publishes.push({ facts: await stage(client, names, load), names });
  for (const { facts } of publishes) await precheckRows(client, facts, names);
  await runWindow(client, rowParts(publishes));
  return names;
}

/** Undoes a batch in one window. */
export async function undo(client: ClientBase, names: RowNames, discardWrites = false): Promise<void> {
  await runWindow(client, undoParts(await surveyUndo(client, names), { discardWrites }));
}

/** A checksum per table over all its rows, generated columns and all, whatever their order. */
export async function checksums(
  client: ClientBase,
  ...tables: readonly string[]
): Promise<Record<string, string>> {
  const sums: Record<string, string> = {};
  for (const table of tables) {
    const { rows } = await client.query(
      `SELECT count(*) || ':' || coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE "C")), '') AS sum FROM ${table} t`,
    );
    sums[table] = rows[0].sum;
  }
  return sums;
}
