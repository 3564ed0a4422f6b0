import type { Client } from 'pg';

/** What of some tables is not to act while their rows are put back, as the statements that give it back. */
export type Sleeping = readonly string[];

/**
 * Takes the foreign keys of and to the tables away and disables their triggers, so that rows may come in any order and
 * nothing is made of them. `tables`: quoted names with their schemas.
 */
export async function asleep(client: Client, tables: readonly string[]): Promise<Sleeping> {
  const { rows } = await client.query<{ off: string; on: string }>(
    `SELECT format('ALTER TABLE %s DISABLE TRIGGER %I', t.tgrelid::regclass, t.tgname) AS off,
            format('ALTER TABLE %s ENABLE%s TRIGGER %I', t.tgrelid::regclass,
              CASE t.tgenabled WHEN 'A' THEN ' ALWAYS' WHEN 'R' THEN ' REPLICA' ELSE '' END, t.tgname) AS on
     FROM pg_trigger t WHERE t.tgrelid = ANY ($1::regclass[]) AND NOT t.tgisinternal AND t.tgenabled <> 'D'
     UNION ALL
     SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname),
            format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid))
     FROM pg_constraint c WHERE c.contype = 'f' AND c.conparentid = 0
       AND (c.conrelid = ANY ($1::regclass[]) OR c.confrelid = ANY ($1::regclass[]))
     ORDER BY 1`,
    [tables],
  );
  for (const { off } of rows) await client.query(off);
  return rows.map(({ on }) => on);
}

/** Gives it back; what the rows break is thrown as the server says it. */
export async function awake(client: Client, sleeping: Sleeping): Promise<void> {
  for (const sql of sleeping) await client.query(sql);
}
