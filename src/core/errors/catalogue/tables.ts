import { again, command, type Next, type NextStep } from '../../next.js';
import { failure, misuse, refusal, topic } from './entry.js';
import { AS_THE_COMMAND_ENDS, NOTHING_CHANGED, NOTHING_WRITTEN } from './state.js';

/** Errors of tables and schemas: which there are, and what they may be called. */
export const tableErrors = topic({
  no_such_table: {
    inCatalog: failure(({ table }: { table: string }) => ({
      says: `there is no table ${table}, or it has no columns`,
      table,
      state: AS_THE_COMMAND_ENDS,
      next: 'create it, or name the table that is meant with its schema',
    })),
    inSqlite: misuse(
      ({
        where,
        path,
        table,
        meant,
        tables,
      }: {
        where: string;
        path: string;
        table: string;
        meant: string | undefined;
        tables: string;
      }) => ({
        says: `${where}: there is no table ${table} in it`,
        input: path,
        table,
        details: [tables === '' ? 'it has no tables at all' : `it has: ${tables}`],
        next:
          meant === undefined
            ? 'is it the right file? an application may use another one than its configuration seems to say'
            : `did you mean ${meant}?`,
      }),
    ),
    toBackUp: misuse(
      ({ table, system, meant }: { table: string; system: string; meant: string | undefined }) => ({
        says: `there is no table ${table} in ${system} to be backed up`,
        table,
        state: NOTHING_WRITTEN,
        next: meant === undefined ? 'is it the right one?' : `did you mean ${meant}?`,
      }),
    ),
    /** `first`: what it may be, and how it may be made. */
    inDatabase: misuse(({ table, first }: { table: string; first: readonly NextStep[] }) => ({
      says: `there is no table ${table} in this database`,
      table,
      state: NOTHING_WRITTEN,
      next: [
        ...first,
        'check that --database-url names the right database, and that the schema is on the search path',
      ],
    })),
    toExport: misuse(({ table, meant }: { table: string; meant: string | undefined }) => ({
      says: `there is no table or view ${table} in this database`,
      table,
      state: NOTHING_WRITTEN,
      next: [
        ...(meant === undefined ? [] : [`did you mean ${meant}?`]),
        'check that --database-url names the right database, and that the schema is on the search path',
      ],
    })),
    toChange: misuse(({ table }: { table: string }) => ({
      says: `there is no table ${table}`,
      table,
      next: 'create it, or name the table that is meant with its schema',
    })),
    toReplace: refusal(({ table }: { table: string }) => ({
      says: `there is no table ${table}`,
      table,
      state: NOTHING_CHANGED,
      next: 'create it, or name the table that is meant with its schema',
    })),
    declared: misuse(({ pipeline, name }: { pipeline: string; name: string }) => ({
      says: `the pipeline "${pipeline}" declares no table "${name}"`,
      next: 'declare it in the pipeline, or name one of its tables',
    })),
    published: misuse(
      ({ batch, table, tables }: { batch: string; table: string; tables: readonly string[] }) => ({
        says: `batch ${batch} did not publish a table ${table}`,
        table,
        next: tables.map((each) => command('rollback', [batch], { table: [each] })),
      }),
    ),
    publishedSeveral: misuse(
      ({
        batch,
        table,
        count,
        tables,
      }: {
        batch: string;
        table: string;
        count: number;
        tables: readonly string[];
      }) => ({
        says: `batch ${batch} published ${count} tables called ${table}`,
        table,
        next: tables.map((each) => command('rollback', [batch], { table: [each] })),
      }),
    ),
  },
  no_such_schema: {
    toCreateIn: misuse(({ schema, quoted, table }: { schema: string; quoted: string; table: string }) => ({
      says: `there is no schema ${schema} to create ${table} in`,
      state: NOTHING_WRITTEN,
      next: again({}, { lead: `create it first: CREATE SCHEMA ${quoted}; then` }),
    })),
    onPath: misuse(({ table }: { table: string }) => ({
      says: `there is no schema on the search path to create ${table} in`,
      state: NOTHING_WRITTEN,
      next: 'name the schema, too: --into schema.table',
    })),
    toMakeIn: misuse(({ table }: { table: string }) => ({
      says: `there is no schema on the search path to make ${table} in`,
      table,
      state: NOTHING_WRITTEN,
      next: 'CREATE SCHEMA public, or ALTER ROLE … SET search_path',
    })),
  },
  /** `kind`: `a view`; `does`: what the pipeline does with tables. */
  not_a_table: misuse(
    ({ name, kind, does, next }: { name: string; kind: string; does: string; next: Next }) => ({
      says: `${name} is ${kind}; a pipeline ${does} tables`,
      table: name,
      next,
    }),
  ),
  bad_table_name: misuse(({ name, why }: { name: string; why: string }) => ({
    says: `${name} is no name of a table: ${why}`,
    state: NOTHING_WRITTEN,
    next: 'table or schema.table, each in double quotes where it holds a dot, a blank or upper case: "My schema"."a.b"',
  })),
  too_many_columns: misuse(({ table, count, most }: { table: string; count: number; most: number }) => ({
    says: `${table} would have ${count} columns, and no table of PostgreSQL has more than ${most}`,
    table,
    state: NOTHING_WRITTEN,
    next: 'leave some out (--skip-columns), or turn the file round, so that what are columns now become rows',
  })),
  create_failed: {
    /** `schema` as a statement names it. */
    noRights: failure(({ table, schema, why }: { table: string; schema: string; why: string }) => ({
      says: `the table ${table} cannot be created: ${why}`,
      table,
      state: NOTHING_WRITTEN,
      next: `as the schema's owner: GRANT CREATE ON SCHEMA ${schema} TO the role`,
    })),
    other: failure(({ table, why }: { table: string; why: string }) => ({
      says: `the table ${table} cannot be created: ${why}`,
      table,
      state: NOTHING_WRITTEN,
      next: again({ drop: ['create'] }, { lead: 'create the table yourself as it is meant to be, then' }),
    })),
    missingNoRights: failure(({ table, schema, why }: { table: string; schema: string; why: string }) => ({
      says: `the missing table ${table} cannot be made: ${why}`,
      table,
      state: NOTHING_WRITTEN,
      next: `as the schema's owner: GRANT CREATE ON SCHEMA ${schema} TO the role, or make the tables yourself`,
    })),
    missingMade: failure(({ table, why }: { table: string; why: string }) => ({
      says: `the missing table ${table} cannot be made: ${why}`,
      table,
      state: NOTHING_WRITTEN,
      next: again({}, { lead: 'somebody has made it meanwhile' }),
    })),
    missingLocked: failure(({ table, why }: { table: string; why: string }) => ({
      says: `the missing table ${table} cannot be made: ${why}`,
      table,
      state: NOTHING_WRITTEN,
      next: again(
        {},
        { lead: 'end the sessions that hold locks on the tables that it refers to (pg_stat_activity), then' },
      ),
    })),
    missing: failure(({ table, why }: { table: string; why: string }) => ({
      says: `the missing table ${table} cannot be made: ${why}`,
      table,
      state: NOTHING_WRITTEN,
      next: again({}, { lead: 'make the tables yourself as they are meant to be, then' }),
    })),
  },
});
