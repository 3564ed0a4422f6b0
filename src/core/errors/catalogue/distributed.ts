import { again } from '../../next.js';
import { refusal, topic } from './entry.js';
import { NOTHING_CHANGED, NOTHING_WRITTEN } from './state.js';

const BY_LOCK = again({ flags: { guard: 'lock' } });

/** Errors of tables that Citus has distributed over its nodes. */
export const distributedErrors = topic({
  worker_node: refusal(({ at }: { at: string }) => ({
    says: `${at} is a worker node of a Citus cluster, where no schema can be made`,
    state: NOTHING_WRITTEN,
    next: 'name the coordinator in --database-url',
  })),
  distributed_table: {
    singleShard: refusal(({ table }: { table: string }) => ({
      says: `${table} has a single shard, as the tables of a distributed schema have, and cannot be published into`,
      table,
      state: NOTHING_CHANGED,
      next: 'load into a table of a schema that is not distributed, and INSERT … SELECT from there; or SELECT citus_schema_undistribute(…), publish, and distribute the schema again',
    })),
    managedLocal: refusal(({ table }: { table: string }) => ({
      says: `${table} is a local table that Citus keeps in its metadata (as it does where a foreign key links one with a reference table), and cannot be published into`,
      table,
      state: NOTHING_CHANGED,
      next: 'drop the foreign keys that link it with reference tables, SELECT undistribute_table(…), and publish then; or make it a reference table, and replace it',
    })),
    rangeOrAppend: refusal(({ table }: { table: string }) => ({
      says: `${table} is distributed by range or append, and cannot be published into`,
      table,
      state: NOTHING_CHANGED,
      next: 'distribute it by hash (undistribute_table, create_distributed_table), and replace it',
    })),
    /** `mode`: append, merge, sync or patch. */
    rows: refusal(({ table, mode }: { table: string; mode: string }) => ({
      says: `${mode} into ${table} is not possible: it is distributed by Citus, which cannot run the statements that compare its rows with staging's`,
      table,
      state: NOTHING_CHANGED,
      next: [
        again({ flags: { mode: 'replace', guard: 'lock' } }, { lead: 'replace it' }),
        'or load into a local table, and INSERT … SELECT from there',
      ],
    })),
    undo: refusal(({ table }: { table: string }) => ({
      says: `${table} was distributed by Citus since, which cannot run the statements that put its rows back`,
      table,
      state: NOTHING_CHANGED,
      next: 'SELECT undistribute_table(…), roll back, and distribute it again',
    })),
    guard: refusal(({ table }: { table: string }) => ({
      says: `${table} is distributed by Citus, which refuses the triggers of --guard journal`,
      table,
      state: NOTHING_CHANGED,
      next: BY_LOCK.saying({ lead: 'keep writers out meanwhile' }),
    })),
    /** `what`: the object, with its kind. */
    dependent: refusal(({ table, what }: { table: string; what: string }) => ({
      says: `${table} is distributed by Citus, and ${what} cannot be moved to its new table`,
      table,
      state: NOTHING_CHANGED,
      next: 'drop it for the run, and make it again afterwards',
    })),
    /** `child`: the table that refers to it, and is not replaced. */
    key: refusal(({ table, key, child }: { table: string; key: string; child: string }) => ({
      says: `foreign key ${key} of ${child} refers to ${table}, which is distributed by Citus: the key cannot be renamed when the new table takes its place`,
      table,
      state: NOTHING_CHANGED,
      next: [`replace ${child} in the same run`, 'or drop the key for the run, and add it again afterwards'],
    })),
  },
  distributed_writes: refusal(({ table }: { table: string }) => ({
    says: `whether rows of ${table} were written since the batch was published cannot be told: it is distributed by Citus, whose nodes number their transactions by themselves`,
    table,
    state: NOTHING_CHANGED,
    next: again(
      { flags: { discardWrites: true } },
      { lead: 'make sure that nobody has written to it, or save what was written; then, to lose that' },
    ),
  })),
});
