import type { Client } from 'pg';
import { replaceErrors } from '../../../src/core/errors/catalogue/replace.js';
import { columnNames } from '../../../src/db/catalog/column-sql.js';
import { patiently } from '../../../src/db/locks/patiently.js';
import type { Patience } from '../../../src/db/patience.js';
import { ident, qualified } from '../../../src/db/quote.js';
import { sqlstateOf } from '../../../src/db/server-error.js';
import { addKey, addValidKey, dropKey, type SwapKey, validateKey } from './foreign-keys.js';

const COLUMNS = `
SELECT (SELECT i.relname FROM pg_class i WHERE i.oid = con.conindid) AS index, pn.nspname AS parent_schema, p.relname AS parent_table,
  ${columnNames('con.conkey', 'con.conrelid')} AS mine, ${columnNames('con.confkey', 'con.confrelid')} AS theirs
FROM pg_constraint con JOIN pg_class c ON c.oid = con.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class p ON p.oid = con.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND con.conname = $3 AND con.contype = 'f'`;

interface KeyColumns {
  readonly index: string | null;
  readonly parent_schema: string;
  readonly parent_table: string;
  readonly mine: string[];
  readonly theirs: string[];
}

const keyColumns = async (client: Client, key: SwapKey): Promise<KeyColumns | undefined> =>
  (await client.query<KeyColumns>(COLUMNS, [key.on.schema, key.on.table, key.staged])).rows[0];

/** Both tables are locked against writers while the key is made. */
const waitFor = ({ on, parent }: SwapKey) => ({ tables: [on, parent] });

/**
 * Makes and validates the foreign keys of a swap. A key that is there already (an earlier attempt's) is
 * made again. Rows without a parent throw refused('orphans') naming the key, how many and which; then no
 * key of the swap is left on any live table. Where the same window changes rows of the child or the parent, those of
 * `changing`, it may hold only then: such keys are given back, for the window to validate.
 */
export async function makeKeys(
  client: Client,
  keys: readonly SwapKey[],
  patience: Patience,
  changing: ReadonlySet<string>,
  onProgress: (text: string) => void,
): Promise<SwapKey[]> {
  const later: SwapKey[] = [];
  try {
    for (const key of keys) {
      onProgress(`foreign key ${key.name} on ${key.onLive}`);
      await patiently(client, patience, [dropKey(key), addKey(key)], waitFor(key));
      await assertIndex(client, key);
      if (!key.validate) continue;
      const atOnce = await validatesAtOnce(client, key);
      const mayHold = !atOnce && (changing.has(key.onLive) || changing.has(key.parentLive));
      if (!(await validated(client, key, patience, atOnce, mayHold))) later.push(key);
    }
    return later;
  } catch (error) {
    // Towards staging only: a key on a live table would reject rows that staging does not know.
    for (const key of keys.filter((each) => each.name !== each.staged)) {
      await patiently(client, patience, [dropKey(key)], waitFor(key)).catch(() => {});
    }
    throw error;
  }
}

/** Throws refused('key_index') where the key that was made goes by another index than it has to. */
export async function assertIndex(client: Client, key: SwapKey): Promise<void> {
  const index = (await keyColumns(client, key))?.index;
  if (key.index === null || index === key.index) return;
  throw replaceErrors.key_index({ key: key.name, table: key.onLive, was: key.index, would: index });
}

// Before 18, VALIDATE CONSTRAINT leaves the copies that a key to a partitioned table has for the partitions as they are.
const AT_ONCE = `
SELECT current_setting('server_version_num')::int < 180000 AND EXISTS (SELECT FROM pg_constraint copy WHERE copy.conparentid = con.oid) AS yes
FROM pg_constraint con JOIN pg_class c ON c.oid = con.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND con.conname = $3 AND con.contype = 'f'`;

/** Whether the key can only be validated as it is added: then writers to its parent wait meanwhile. */
async function validatesAtOnce(client: Client, { on, staged }: SwapKey): Promise<boolean> {
  const { rows } = await client.query<{ yes: boolean }>(AT_ONCE, [on.schema, on.table, staged]);
  return rows[0]?.yes === true;
}

/** Validates the key; false where it does not hold yet, and may do so in the window. */
async function validated(
  client: Client,
  key: SwapKey,
  patience: Patience,
  atOnce: boolean,
  mayHold: boolean,
): Promise<boolean> {
  try {
    const statements = atOnce ? [dropKey(key), addValidKey(key)] : [validateKey(key)];
    await patiently(client, patience, statements, waitFor(key));
    return true;
  } catch (error) {
    if (sqlstateOf(error) !== '23503') throw error;
    if (mayHold) return false;
    throw await orphanRefusal(client, key, error);
  }
}

async function orphanRefusal(client: Client, key: SwapKey, cause: unknown): Promise<Error> {
  const of = { key: key.name, table: key.onLive };
  const columns = await keyColumns(client, key);
  if (columns === undefined) return replaceErrors.orphans.some(of, { details: [], cause });
  const { sql, examples } = orphanSql(key, columns);
  const [counted] = (await client.query<{ count: string }>(sql)).rows;
  const { rows } = await client.query<{ key: string }>(examples);
  return replaceErrors.orphans.counted(
    { ...of, count: Number(counted?.count) },
    { details: rows.map((row) => `(${columns.mine.join(', ')}) = ${row.key}`), cause },
  );
}

/** The queries that count the rows of `key` without a parent, and show up to five such keys. Pure. */
export function orphanSql(
  key: SwapKey,
  columns: Omit<KeyColumns, 'index'>,
): { sql: string; examples: string } {
  const child = qualified(key.on.schema, key.on.table);
  const parent = qualified(columns.parent_schema, columns.parent_table);
  const mine = columns.mine.map((name) => `c.${ident(name)}`);
  const matches = mine.map((name, at) => `p.${ident(columns.theirs[at] as string)} = ${name}`);
  const from = `FROM ONLY ${child} c WHERE ${mine.map((name) => `${name} IS NOT NULL`).join(' AND ')} AND NOT EXISTS (SELECT FROM ONLY ${parent} p WHERE ${matches.join(' AND ')})`;
  return {
    sql: `SELECT count(*) AS count ${from}`,
    examples: `SELECT DISTINCT ROW(${mine.join(', ')})::text AS key ${from} ORDER BY 1 LIMIT 5`,
  };
}
