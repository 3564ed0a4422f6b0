import type { Database } from 'sluice';

/** How a query shows a person: what it joins, and the SQL of the name. */
export interface ShownPerson {
  readonly join: string;
  readonly name: string;
}

/**
 * How the person in `column` (`m.user_id`) is shown: by the username in the table that timers refer to, else in
 * `auth_user`; by `user` and the id where there is no such table or column, or the role may not read it. Names are only
 * for messages, so nothing is refused for want of them.
 */
export async function shownPerson(database: Database, column: string): Promise<ShownPerson> {
  const [found] = await database.query<{ table: string; key: string }>(
    `WITH referred AS (
       SELECT c.confrelid AS oid, c.confkey[1] AS key FROM pg_constraint c
       JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attname = 'user_id' AND c.conkey = ARRAY[a.attnum]
       WHERE c.conrelid = to_regclass('tasks_timer') AND c.contype = 'f'
     ), people AS (
       SELECT oid, key FROM referred
       UNION ALL
       SELECT a.attrelid, a.attnum FROM pg_attribute a
       WHERE a.attrelid = to_regclass('auth_user') AND a.attname = 'id' AND NOT EXISTS (SELECT FROM referred)
     )
     SELECT p.oid::regclass::text AS "table", quote_ident(k.attname) AS key
     FROM people p
     JOIN pg_attribute k ON k.attrelid = p.oid AND k.attnum = p.key
     JOIN pg_attribute u ON u.attrelid = p.oid AND u.attname = 'username' AND NOT u.attisdropped
     WHERE has_column_privilege(p.oid, k.attnum, 'SELECT') AND has_column_privilege(p.oid, u.attnum, 'SELECT')
     LIMIT 1`,
  );
  const byId = `'user ' || ${column}`;
  if (found === undefined) return { join: '', name: byId };
  return {
    join: `LEFT JOIN ${found.table} u ON u.${found.key} = ${column}`,
    name: `coalesce(u.username::text, ${byId})`,
  };
}
