import type { Client } from 'pg';
import type { Range } from '../ranges.js';
import { bare } from './describe.js';
import { type PlanNode, planOfQuery, scansOf } from './plan.js';
import { topWords } from './top-words.js';

/** A query whose rows are those of a table one for one, as it can be read by where they lie in the table. */
export interface ByTid {
  /** What stands before the condition, behind the query. */
  readonly word: 'WHERE' | 'AND';
  /** The table, or one of its partitions, as messages name it. */
  readonly table: string;
  /** All tables that rows come from, and their relatives: with the files that they are in. */
  readonly files: string;
  /** The blocks of the largest of them. */
  readonly blocks: number;
  readonly bytes: number;
}

/** What is said of why rows cannot be read by where they lie. */
export interface NotByTid {
  readonly why: string;
}

/** Words that begin what a condition could not stand behind, and what they mean. */
const BEHIND: Readonly<Record<string, string>> = {
  order: 'it has an ORDER BY',
  group: 'it groups rows',
  having: 'it groups rows',
  limit: 'it takes a part of the rows (LIMIT)',
  offset: 'it takes a part of the rows (OFFSET)',
  fetch: 'it takes a part of the rows (FETCH)',
  union: 'it combines queries',
  intersect: 'it combines queries',
  except: 'it combines queries',
  join: 'it joins tables',
  window: 'it has a window',
  tablesample: 'it takes a sample',
};

/** Range scans by place are there from this version on. */
const RANGE_SCANS = 140000;

/**
 * How the rows of `sql` can be read by where they lie in their table, if they can: what the server's plans prove. The
 * session is in a transaction that has the run's snapshot; `client` may be asked on afterwards. Throws as the server does
 * where it does not take the query itself.
 */
export async function byTid(client: Client, sql: string): Promise<ByTid | NotByTid> {
  const words = topWords(sql);
  const plan = await planOfQuery(client, bare(sql));
  const scans = scansOf(plan);
  const behind = words.find((word) => Object.hasOwn(BEHIND, word));
  if (behind !== undefined) return { why: BEHIND[behind] as string };
  if (typeof scans === 'string') return { why: `the server does more than to read a table (${scans})` };
  const other = scans.find((scan) => scan['Node Type'] !== 'Seq Scan');
  if (other !== undefined) return { why: `the server does not read a whole table (${other['Node Type']})` };
  const facts = await factsOf(client, scans);
  if (facts.version < RANGE_SCANS) return { why: 'the server is older than PostgreSQL 14' };
  if (!facts.heap) return { why: 'its rows do not lie in a table of the usual kind' };
  const word = words.includes('where') ? 'AND' : 'WHERE';
  const proof = await proven(client, { sql, word }, facts.oids, facts.blocks);
  return proof === undefined ? { word, ...facts } : { why: proof };
}

/** The condition that a row lies in `range`, behind a query. */
export function tidCondition(word: ByTid['word'], { from = '0', to }: Pick<Range, 'from' | 'to'>): string {
  const at = (block: string) => `'(${Number(block)},0)'::pg_catalog.tid`;
  const below = to === undefined ? '' : ` AND ctid OPERATOR(pg_catalog.<) ${at(to)}`;
  return `${word} ctid OPERATOR(pg_catalog.>=) ${at(from)}${below}`;
}

/** Undefined where the condition, behind the query, keeps just the rows of a range, of every table; else what is in the way. */
async function proven(
  client: Client,
  { sql, word }: { readonly sql: string; readonly word: ByTid['word'] },
  oids: readonly string[],
  blocks: number,
): Promise<string | undefined> {
  const middle = Math.floor(blocks / 2);
  const range = { from: String(middle), to: String(middle + 1) };
  await client.query('SAVEPOINT sluice_proof');
  let plan: PlanNode;
  try {
    plan = await planOfQuery(client, `${bare(sql)}\n${tidCondition(word, range)}`);
  } catch (error) {
    await client.query('ROLLBACK TO SAVEPOINT sluice_proof');
    return `the server says: ${(error as Error).message}`;
  }
  const scans = scansOf(plan);
  const isRange = (scan: PlanNode) =>
    scan['Node Type'] === 'Tid Range Scan' && />=.*<(?![=>])/.test(scan['TID Cond'] ?? '');
  if (typeof scans === 'string' || !scans.every(isRange))
    return 'the server would read the whole table for every part';
  const found = (await factsOf(client, scans)).oids;
  return found.length === oids.length && found.every((oid) => oids.includes(oid))
    ? undefined
    : 'the server would read other tables for a part';
}

interface Facts extends Omit<ByTid, 'word'> {
  readonly oids: readonly string[];
  readonly heap: boolean;
  readonly version: number;
}

/** Facts of the tables that are scanned. What is in a table's file grows after this, and the snapshot does not see it. */
async function factsOf(client: Client, scans: readonly PlanNode[]): Promise<Facts> {
  const names = scans.map((scan) => ({ schema: scan.Schema ?? '', table: scan['Relation Name'] ?? '' }));
  const { rows } = await client.query<Omit<Facts, 'table'>>(FACTS, [JSON.stringify(names)]);
  const [first] = names;
  return { ...(rows[0] as (typeof rows)[number]), table: `${first?.schema}.${first?.table}` };
}

/** Tables above and below those of which the oids are in `of`, with their files: a table that is written anew has another one. */
const filesOf = (of: string) => `
  WITH RECURSIVE up(oid) AS (
    SELECT oid FROM ${of}
    UNION SELECT i.inhparent FROM pg_catalog.pg_inherits i JOIN up ON i.inhrelid OPERATOR(pg_catalog.=) up.oid
  ), family(oid) AS (
    SELECT oid FROM up
    UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN family f ON i.inhparent OPERATOR(pg_catalog.=) f.oid
  )
  SELECT pg_catalog.string_agg(pg_catalog.format('%s:%s', oid, pg_catalog.pg_relation_filenode(oid)), ' ' ORDER BY oid) FROM family`;

const FACTS = `
WITH scanned AS (
  SELECT c.oid, c.relkind, a.amname,
    pg_catalog.pg_relation_size(c.oid) OPERATOR(pg_catalog./) pg_catalog.current_setting('block_size')::pg_catalog.int8 AS blocks,
    -- Long values lie elsewhere, and are in its rows all the same.
    pg_catalog.pg_table_size(c.oid) AS bytes
  FROM pg_catalog.json_to_recordset($1::pg_catalog.json) AS s("schema" pg_catalog.text, "table" pg_catalog.text)
  JOIN pg_catalog.pg_namespace n ON n.nspname::pg_catalog.text OPERATOR(pg_catalog.=) s."schema"
  JOIN pg_catalog.pg_class c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid AND c.relname::pg_catalog.text OPERATOR(pg_catalog.=) s."table"
  LEFT JOIN pg_catalog.pg_am a ON a.oid OPERATOR(pg_catalog.=) c.relam
)
SELECT pg_catalog.array_agg(oid::pg_catalog.text) AS oids,
  pg_catalog.bool_and(relkind OPERATOR(pg_catalog.=) ANY ('{r,m}'::"char"[]) AND amname OPERATOR(pg_catalog.=) 'heap') AS heap,
  pg_catalog.max(blocks)::pg_catalog.float8 AS blocks,
  pg_catalog.sum(bytes)::pg_catalog.float8 AS bytes,
  pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS version,
  (${filesOf('scanned')}) AS files
FROM scanned`;

/** What `ByTid.files` is by now, of the same tables; a statement with it as its parameter, for a session that sees what is committed. */
export const FILES_NOW = `
WITH noted AS (
  SELECT pg_catalog.split_part(f, ':', 1)::pg_catalog.oid AS oid FROM pg_catalog.unnest(pg_catalog.string_to_array($1::pg_catalog.text, ' ')) AS f
)
SELECT (${filesOf('noted')}) AS files`;
