import type { Batch } from '../../db/ledger/batches.js';
import type { Published } from '../../db/ledger/published.js';
import type { LedgerView } from '../../db/ledger/views.js';
import type { Change, Site } from './change.js';
import { MissingTablesUndo } from './missing-tables.js';
import { OldNamesUndo } from './old-names.js';
import { OwnersCodeUndo } from './owners-code.js';
import { SettledRecordsUndo } from './records/records.js';
import { ReplaceUndo } from './replace/replace-undo.js';
import { RowsUndo } from './rows/rows-undo.js';
import { ViewsUndo } from './views.js';
import { WriteGuardUndo } from './write-guard/write-guard.js';

/** What of a published batch is taken back, and how. */
export interface Undone {
  readonly batch: Batch;
  readonly tables: readonly Published[];
  /** Whether nothing published is left of the batch then. */
  readonly whole: boolean;
  /** The views under old names that go. */
  readonly views: readonly LedgerView[];
  readonly discardWrites: boolean;
  readonly rewriteOids: boolean;
  readonly runOwnersCode: boolean;
}

/** What a rollback changes: the inverse of each of the changes of the batch. */
export class UndoChanges {
  readonly guard: WriteGuardUndo;
  readonly rows: RowsUndo;
  readonly views: ViewsUndo;
  /** All of them, in the order of JobChanges. */
  readonly all: readonly Change[];

  constructor(site: Site, undone: Undone) {
    const { batch, tables } = undone;
    const place = (each: Published) => ({ schema: each.table_schema, table: each.table_name });
    const replaced = tables.filter(({ mode }) => mode === 'replace');
    const changed = tables.filter(({ mode }) => mode !== 'replace');
    const written = undone.runOwnersCode
      ? []
      : changed.map((each) => ({ ...place(each), how: 'written' as const, triggers: true }));
    this.guard = new WriteGuardUndo(site, batch.id, undone.discardWrites ? [] : replaced.map(place));
    this.rows = new RowsUndo(site, batch, changed, undone.discardWrites, replaced.map(place));
    this.views = new ViewsUndo(site, tables);
    this.all = [
      new OwnersCodeUndo(site, () => written),
      this.rows,
      new ReplaceUndo(site, batch, replaced, undone.rewriteOids, changed),
      this.views,
      new SettledRecordsUndo(site, batch.id, tables.map(place)),
      new OldNamesUndo(site, batch.id, undone.views),
      ...(undone.whole ? [new MissingTablesUndo(site, batch.id)] : []),
      this.guard,
    ];
  }
}
