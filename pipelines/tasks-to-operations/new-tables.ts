import { readFileSync } from 'node:fs';
import type { Database, NewTable, Run } from 'sluice';

/** The sample's file with the new tables. */
const NEW_TABLES = new URL(
  'samples/tasks-to-operations/new-tables.sql',
  import.meta.resolve('sluice/package.json'),
);

/** The columns that refer to other tables of the application: of which old table they come, and what the sample calls theirs. */
const REFERRING = {
  created_by_id: ['machining_task', 'auth_user'],
  completed_by_id: ['machining_task', 'auth_user'],
  user_id: ['machining_jobcostagguser', 'auth_user'],
  machine_fk_id: ['machining_task', 'machines_machine'],
} as const;

/** What the old system's column of that name is, and refers to. */
interface Referring extends Readonly<Record<string, unknown>> {
  readonly column: string;
  readonly type: string | null;
  /** `accounts_user (id)`; null where it refers to nothing. */
  readonly to: string | null;
}

/**
 * How the new tables are made where they are missing, by their names in the pipeline. Their columns that refer to people
 * and machines are of the type that the old tables have for them, and refer to what those refer to: the table of users
 * need not be Django's own.
 */
export async function newTables({
  database,
}: Pick<Run, 'database'>): Promise<Record<'parts' | 'operations' | 'costs' | 'userCosts', NewTable>> {
  const statements = statementsOf(readFileSync(NEW_TABLES, 'utf8'));
  const referring = await referringIn(database);
  const made = (table: string) => newTable(statements, table, referring);
  return {
    parts: made('tasks_part'),
    operations: made('tasks_operation'),
    costs: made('tasks_partcostagg'),
    userCosts: made('tasks_partcostagguser'),
  };
}

async function referringIn(database: Database): Promise<Referring[]> {
  const wanted = Object.entries(REFERRING).map(([column, [of, sample]]) => ({ column, of, sample }));
  return database.query<Referring>(
    `SELECT w."column", format_type(a.atttypid, a.atttypmod) AS type,
            coalesce(
              (SELECT c.confrelid::regclass::text || ' (' || quote_ident(r.attname) || ')' FROM pg_constraint c
               JOIN pg_attribute r ON r.attrelid = c.confrelid AND r.attnum = c.confkey[1]
               WHERE c.conrelid = a.attrelid AND c.contype = 'f' AND c.conkey = ARRAY[a.attnum] LIMIT 1),
              (SELECT w.sample || ' (id)' FROM pg_attribute r
               WHERE r.attrelid = to_regclass(w.sample) AND r.attname = 'id' AND r.atttypid = a.atttypid)) AS "to"
     FROM jsonb_to_recordset($1::jsonb) AS w("column" text, "of" text, sample text)
     LEFT JOIN pg_attribute a ON a.attrelid = to_regclass(w."of") AND a.attname = w."column" AND NOT a.attisdropped`,
    [JSON.stringify(wanted)],
  );
}

/** The statements of a file whose statements all end with a semicolon at the end of a line. */
function statementsOf(file: string): string[] {
  const text = file.replace(/^--.*\n/gm, '');
  return text
    .split(/;\s*\n/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

function newTable(statements: readonly string[], table: string, referring: readonly Referring[]): NewTable {
  const create = statements.find((statement) => statement.startsWith(`CREATE TABLE ${table} (`));
  if (create === undefined) throw new Error(`new-tables.sql does not make ${table}`);
  const about = new RegExp(
    `^(ALTER TABLE ${table} |CREATE INDEX \\w+ ON ${table} |COMMENT ON COLUMN ${table}\\.)`,
  );
  const after = statements.filter((statement) => about.test(statement));
  return {
    create: referring.reduce(
      (sql, { column, type }) =>
        type === null
          ? sql
          : sql.replace(new RegExp(`^(  ${column}) \\w+`, 'm'), (_all, name) => `${name} ${type}`),
      create,
    ),
    after: after.flatMap((statement) => referringTo(statement, referring) ?? []),
  };
}

/** A foreign key with what it refers to in this system in place of the sample's; undefined where that is nothing. */
function referringTo(statement: string, referring: readonly Referring[]): string | undefined {
  const [all, column] = /FOREIGN KEY \((\w+)\) REFERENCES \w+ \(id\)/.exec(statement) ?? [];
  const found = referring.find((each) => each.column === column);
  if (all === undefined || found === undefined) return statement;
  return found.to === null
    ? undefined
    : statement.replace(all, () => `FOREIGN KEY (${column}) REFERENCES ${found.to}`);
}
