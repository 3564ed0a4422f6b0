import { basename } from 'node:path';
import { rollbackErrors } from '../../core/errors/catalogue/rollback.js';
import { tableErrors } from '../../core/errors/catalogue/tables.js';
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
  if (batch.status === 'rolled_back') throw rollbackErrors.rolled_back.batch({ batch: batch.id });
  const left = published.filter((each) => each.rolled_back_at === null);
  if (batch.status !== 'completed' || left.length === 0)
    throw rollbackErrors.nothing_published({ batch: batch.id, status: batch.status });
  const chosen = new Set(wanted.map((name) => named(batch, published, name)));
  const tables = chosen.size === 0 ? left : left.filter((each) => chosen.has(each));
  const gone = tables.filter(
    (each) => each.dropped_at !== null || (each.mode === 'replace' && each.retained_oid === null),
  );
  if (gone.length > 0)
    throw rollbackErrors.not_kept.batch(
      { batch: batch.id, next: backupFiles(batch) },
      { details: gone.map(nameOf) },
    );
  return { tables, whole: tables.length === left.length };
}

function named(batch: Batch, published: readonly Published[], name: string): Published {
  const fitting = meantBy(published, name);
  const [only] = fitting;
  const of = { batch: batch.id, table: name, tables: published.map(typed) };
  if (fitting.length > 1) throw tableErrors.no_such_table.publishedSeveral({ ...of, count: fitting.length });
  if (only === undefined) throw tableErrors.no_such_table.published(of);
  if (only.rolled_back_at !== null)
    throw rollbackErrors.rolled_back.table({ batch: batch.id, table: nameOf(only) });
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
