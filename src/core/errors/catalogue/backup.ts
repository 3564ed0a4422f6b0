import { again, command } from '../../next.js';
import { plural } from '../../plural.js';
import { failure, misuse, refusal, topic } from './entry.js';
import { NOTHING_CHANGED } from './state.js';

/** Errors of backups that are folders, and of putting them back. */
export const backupErrors = topic({
  not_a_backup: {
    folder: misuse(({ folder, why }: { folder: string; why: string }) => ({
      says: `${folder} is not a backup: ${why}`,
      next: 'name the folder that a backup was written to: the backup, or the run that made it, has said which',
    })),
    file: misuse(({ path }: { path: string }) => ({
      says: `${path} is not a backup file of Sluice's`,
      next: 'give the migration_backup_….json that a run has written, or name its --pipeline',
    })),
  },
  nothing_to_restore: {
    earlierVersion: misuse(({ folder }: { folder: string }) => ({
      says: `${folder} holds no tables of a database that could be put back`,
      state: NOTHING_CHANGED,
      next: 'it was made by an earlier version: psql -f schema.sql, then \\copy TABLE FROM TABLE.csv WITH (FORMAT csv, HEADER)',
    })),
    files: misuse(({ folder }: { folder: string }) => ({
      says: `${folder} holds no tables of a database that could be put back`,
      state: NOTHING_CHANGED,
      next: 'what it holds is copied into its place',
    })),
  },
  damaged_backup: refusal(({ folder }: { folder: string }) => ({
    says: `${folder} is damaged`,
    state: NOTHING_CHANGED,
    next: command('restore-check', [folder], {}, { note: 'says what is whole' }),
  })),
  not_empty: {
    noTable: refusal(({ table }: { table: string }) => ({
      says: `there is something else that is called ${table}, which is no table`,
      table,
      state: NOTHING_CHANGED,
      next: again({}, { lead: 'drop it or restore into another database, then' }),
    })),
    filled: refusal(({ tables }: { tables: readonly string[] }) => ({
      says: `${plural(tables.length, 'table')} ${tables.length === 1 ? 'is' : 'are'} not empty: ${tables.join(', ')}`,
      state: NOTHING_CHANGED,
      next: [
        'restore into an empty database, and take from there what is needed',
        again({}, { lead: 'or TRUNCATE them, where all of them is to be as it was, then' }),
      ],
    })),
  },
  other_columns: refusal(() => ({
    says: 'tables have other columns than they had',
    state: NOTHING_CHANGED,
    next: again({}, { lead: 'give them those, or restore into an empty database' }),
  })),
  restore_failed: {
    rows: failure(
      ({ table, file, rows, had }: { table: string; file: string; rows: number; had: number }) => ({
        says: `${file} has ${plural(rows, 'row')}, and had ${had}`,
        table,
        state: NOTHING_CHANGED,
      }),
    ),
    /** `table`: undefined, where it is not about one of them. */
    server: failure(({ table, why }: { table: string | undefined; why: string }) => ({
      says: `${table ?? 'the backup'} could not be put back: ${why}`,
      table,
      state: NOTHING_CHANGED,
      next: again(
        {},
        {
          lead: 'make the tables by other means (the application’s migrations, pg_dump --schema-only), empty, then',
        },
      ),
    })),
  },
});
