import { basename } from 'node:path';
import { refused, usage } from '../../core/errors/author.js';
import { command, type Next } from '../../core/next.js';
import type { Batch } from '../../db/ledger/batches.js';
import type { Published } from '../../db/ledger/published.js';
import { readings, tableText } from '../../db/table-name.js';

/** What of a batch is to be undone. */
export interface Choice {
  readonly tables: readonly Published[];
  /** Whether nothing published is left of the batch then. */
  readonly whole: boolean;
}

/**
 * The published tables that `wanted` names (`schema.table`, or the table's name alone where only one has it);
 * all that are not undone yet where it names none. Throws usage errors for a batch that published nothing or
 * is undone, and for tables that it did not publish; `not_kept` where what a rollback needs is gone.
 */
export function chooseTables(
  batch: Batch,
  published: readonly Published[],
  wanted: readonly string[],
): Choice {
  const next = command('status', [batch.id]);
  if (batch.status === 'rolled_back')
    throw usage('rolled_back', `batch ${batch.id} is rolled back already`, { next });
  const left = published.filter((each) => each.rolled_back_at === null);
  if (batch.status !== 'completed' || left.length === 0)
    throw usage(
      'nothing_published',
      `batch ${batch.id} is ${batch.status}: it published nothing that could be taken back`,
      { next },
    );
  const chosen = new Set(wanted.map((name) => named(batch, published, name)));
  const tables = chosen.size === 0 ? left : left.filter((each) => chosen.has(each));
  const gone = tables.filter(
    (each) => each.dropped_at !== null || (each.mode === 'replace' && each.retained_oid === null),
  );
  if (gone.length > 0)
    throw refused('not_kept', `what batch ${batch.id} replaced or changed is not kept any more`, {
      details: gone.map(nameOf),
      state: 'nothing was changed',
      next: backupFiles(batch),
    });
  return { tables, whole: tables.length === left.length };
}

function named(batch: Batch, published: readonly Published[], name: string): Published {
  const fitting = meantBy(published, name);
  const [only] = fitting;
  if (fitting.length > 1 || only === undefined)
    throw usage(
      'no_such_table',
      fitting.length > 1
        ? `batch ${batch.id} published ${fitting.length} tables called ${name}`
        : `batch ${batch.id} did not publish a table ${name}`,
      {
        table: name,
        next: published.map((each) => command('rollback', [batch.id], { table: [typed(each)] })),
      },
    );
  if (only.rolled_back_at !== null)
    throw usage('rolled_back', `${nameOf(only)} of batch ${batch.id} is rolled back already`, {
      table: nameOf(only),
      next: command('status', [batch.id]),
    });
  return only;
}

/** The tables that the first reading of `name` means of which any was published. */
function meantBy(published: readonly Published[], name: string): readonly Published[] {
  for (const { schema, table } of readings(name)) {
    const fitting = published.filter(
      (each) => each.table_name === table && (schema === null || each.table_schema === schema),
    );
    if (fitting.length > 0) return fitting;
  }
  return [];
}

const typed = (each: Published) => tableText({ schema: each.table_schema, table: each.table_name });

/** The ways back that do not need what was kept: the backup files that the batch wrote. */
function backupFiles({ files }: Batch): Next {
  const backups = (files ?? []).filter(({ path }) => /^migration_backup_.*\.json$/s.test(basename(path)));
  if (backups.length === 0) return 'restore it from a backup of the database';
  return backups.map(({ path }) => command('rollback', [], { backupFile: path }));
}

/** `schema.table` */
export function nameOf(each: Pick<Published, 'table_schema' | 'table_name'>): string {
  return `${each.table_schema}.${each.table_name}`;
}
