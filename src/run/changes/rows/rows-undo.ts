import { rowRefusal } from '../../../../sinks/publish/rows/refusals.js';
import { undoParts } from '../../../../sinks/publish/rows/undo.js';
import { surveyUndo, type UndoTable } from '../../../../sinks/publish/rows/undo-survey.js';
import type { WindowPart } from '../../../../sinks/publish/window.js';
import type { Finding } from '../../../core/pipeline.js';
import type { Batch } from '../../../db/ledger/batches.js';
import { type Published, undoneSince } from '../../../db/ledger/published.js';
import { causeOf } from '../cause.js';
import { Change, type LedgerShare, type Site } from '../change.js';

/** Takes back what an append, merge, sync or patch did to rows. */
export class RowsUndo extends Change {
  readonly question = 'publishing';
  /** The tables as they were found; empty before the survey. */
  surveyed: readonly UndoTable[] = [];

  constructor(
    private readonly site: Site,
    private readonly batch: Batch,
    private readonly tables: readonly Published[],
    private readonly discardWrites: boolean,
    /** Tables that come back whole in the same window. */
    private readonly replaced: readonly { readonly schema: string; readonly table: string }[],
  ) {
    super();
  }

  override async survey(): Promise<Finding[]> {
    const { database } = this.site;
    if (this.tables.length === 0) return [];
    this.surveyed = await surveyUndo(
      await database.session(),
      { undo: this.batch.old_schema as string },
      this.tables.map((each) => ({ schema: each.table_schema, table: each.table_name })),
      (target) => undoneSince(database, this.batch.id, target),
    );
    return [];
  }

  override async prepare(): Promise<void> {
    await this.survey();
  }

  override window(parts: readonly WindowPart[]): readonly WindowPart[] {
    return [
      ...parts,
      ...undoParts(this.surveyed, { discardWrites: this.discardWrites, replaced: this.replaced }),
    ];
  }

  override ledger(): LedgerShare {
    return {
      undone: this.tables.map((each) => ({
        schema: each.table_schema,
        table: each.table_name,
        retained: null,
      })),
    };
  }

  override async explain(error: unknown): Promise<unknown> {
    return rowRefusal(causeOf(error));
  }
}
