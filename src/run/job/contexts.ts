import { writtenBy } from '../../../sinks/publish/rows/restored.js';
import { type FlowAccount, tallyAll } from '../../core/accounting.js';
import type { CheckContext, ValidationContext } from '../../core/pipeline.js';
import type { Target } from '../../core/target.js';
import { readColumns } from '../../db/catalog/columns.js';
import { qualified } from '../../db/quote.js';
import { usersDatabase } from '../../db/users-database.js';
import { futureColumns } from '../changes/missing-tables.js';
import { replacedIn } from '../given/settings.js';
import { columnsBeside, columnsOf } from '../inputs/columns.js';
import { sourceKeys } from '../inputs/keys.js';
import type { Job } from './job.js';

/** A table, wherever it stands. */
interface Place {
  readonly schema: string;
  readonly table: string;
}

/** The accounts of the load, and what they call each input, where it is not as this job does. */
interface Accounts {
  readonly accounts: readonly FlowAccount[];
  readonly labels?: Readonly<Record<string, string>>;
}

/** The quoted, qualified name of the live table that the pipeline calls `name`. Throws usage `no_such_table`. */
export function liveName(job: Job, name: string): string {
  const table = job.table(name);
  return qualified(table.schema, table.table);
}

/** What the pipeline's checks, warnings and views are asked with. */
export function checkContext(job: Job): CheckContext {
  return {
    database: usersDatabase(job.options.database),
    settings: job.settings,
    log: job.log,
    signal: job.signal,
    live: (name) => liveName(job, name),
    replaced: replacedIn(job.options),
    old: () => job.old(),
    missing: (name) => job.table(name).missing === true,
    from: job.options.from ?? job.pipeline.name,
    mappings: job.mappings,
    columnsOf: (input) => columnsOf(job.inputs[input], job.checkRun()),
    columnsBeside: (input) =>
      columnsBeside(job.inputs[input], job.pipeline.inputs[input]?.columns, job.checkRun()),
    tableColumns: (name) => {
      const { database } = job.options;
      const made = job.missing.find(({ table }) => table.name === name);
      if (made !== undefined) return futureColumns(database, made.table, made.sql);
      const { schema, table } = job.table(name);
      return readColumns(database, schema, table);
    },
  };
}

/**
 * What the pipeline's validations are asked with. `places`: where the rows of a table stand that are asked about.
 * `published`, of a published batch: where its tables stood before, as far as they are kept, and who wrote its rows.
 */
export function validationContext(
  job: Job,
  places: ReadonlyMap<Target, Place>,
  { accounts, labels = job.labels }: Accounts,
  published?: {
    readonly before: ReadonlyMap<Target, Place>;
    /** The transactions that wrote the batch's rows; left out where the ledger does not know. */
    readonly writers: ReadonlyMap<Target, readonly string[]>;
  },
): ValidationContext {
  const context = checkContext(job);
  return {
    ...context,
    published: published !== undefined,
    live: (name) => {
      const place = published?.before.get(job.table(name).target);
      return place === undefined ? context.live(name) : qualified(place.schema, place.table);
    },
    staged: (name) => {
      const place = places.get(job.table(name).target) as Place;
      return qualified(place.schema, place.table);
    },
    asWritten: (name, alias) => {
      const writers = published?.writers.get(job.table(name).target);
      return writers === undefined ? 'true' : writtenBy(writers, []).is(alias);
    },
    keysOf(input, column) {
      const source = job.inputs[input];
      const { givenBefore = [], inputs = {}, limit } = job.options;
      const unknown = givenBefore.includes(input) && inputs[input] === undefined;
      if (source === undefined || unknown || limit !== undefined) return undefined;
      if (published !== undefined || job.resubmitted !== undefined) return undefined;
      return sourceKeys(source, column, job.checkRun());
    },
    setAside(input) {
      const read: Record<string, number> = Object.create(null);
      const unread: Record<string, number> = Object.create(null);
      for (const { source, stages } of accounts)
        if (source === labels[input])
          for (const [at, { branch, rejected, skipped }] of stages.entries())
            tallyAll(at === 0 ? unread : read, rejected, branch === '' ? skipped : {});
      return { read, unread };
    },
  };
}
