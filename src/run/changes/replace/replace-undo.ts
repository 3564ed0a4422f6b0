import type { FinishedTable, FinishOptions } from '../../../../sinks/publish/replace/finish.js';
import { schemasFor } from '../../../../sinks/publish/replace/names.js';
import { assertReplaceable, surveyReplace } from '../../../../sinks/publish/replace/survey.js';
import type { Survey } from '../../../../sinks/publish/replace/surveyed.js';
import {
  adoptAsStaging,
  type RetainedTable,
  returnRetained,
} from '../../../../sinks/publish/replace/undo.js';
import type { Finding } from '../../../core/pipeline.js';
import { inserts } from '../../../core/publish-mode.js';
import type { Batch } from '../../../db/ledger/batches.js';
import { findKept, type Published } from '../../../db/ledger/published.js';
import { ownSchemas } from '../../../db/own-schemas.js';
import { type BatchNames, undoNames } from '../../given/batch-names.js';
import type { LedgerShare, Site } from '../change.js';
import { dropOwnEmpty } from '../schemas.js';
import { assertStillReplaceable } from './findings.js';
import { Swap } from './swap.js';

/**
 * Tables that were replaced come back from where they are kept, as if they had just been loaded, with the metadata that
 * live has now. Those that were live until then are kept in turn.
 */
export class ReplaceUndo extends Swap {
  protected override readonly names: BatchNames;
  protected override readonly finishing: FinishOptions;
  protected override readonly deleting: ReadonlySet<string>;
  #retained: readonly RetainedTable[] = [];

  constructor(
    site: Site,
    private readonly batch: Batch,
    private readonly tables: readonly Published[],
    /** OIDs of the tables that rows of others keep become those of the tables that come back. */
    private readonly rewriteOids: boolean,
    /** Other tables of which rows are taken back in the same window. */
    changing: readonly Published[],
  ) {
    super(site);
    const names = (of: readonly Published[]) =>
      new Set(of.map(({ table_schema, table_name }) => `${table_schema}.${table_name}`));
    this.finishing = { expectedRows: new Map(), patience: site.database.patience, changing: names(changing) };
    this.deleting = names(changing.filter(({ mode }) => inserts(mode)));
    this.names = undoNames(batch.id);
  }

  /** Throws refused `cannot_replace`. */
  override async survey(): Promise<Finding[]> {
    if (this.tables.length === 0) return [];
    const { database } = this.site;
    const kept = await findKept(database, this.batch.id);
    this.#retained = this.tables.map((each) => ({
      target: { schema: each.table_schema, table: each.table_name },
      schema:
        kept.find((table) => table.oid === each.retained_oid)?.schema ?? (each.retained_schema as string),
      table: each.table_name,
      oid: each.retained_oid as number,
    }));
    // OIDs that the publish has rewritten are rewritten back.
    const targets = this.tables.map(({ table_schema: schema, table_name: table, facts }) => ({
      ...{ schema, table },
      rewriteOids: this.rewriteOids || facts.rewrote_oids === true,
    }));
    this.surveyed = await surveyReplace(await database.session(), targets);
    assertReplaceable(this.surveyed);
    return [];
  }

  protected override assertReplaceable(now: Survey): Promise<void> {
    return assertStillReplaceable(this.site.database, now);
  }

  /** Moves the kept tables to where they are made ready. Throws refused `retained`, `shape`. */
  override async stage(): Promise<void> {
    if (this.surveyed === undefined) return;
    const client = await this.site.database.session();
    this.staged = await adoptAsStaging(
      client,
      this.surveyed,
      this.#retained,
      this.names,
      this.site.database.patience,
    );
  }

  protected override planned({ tables }: Survey): FinishedTable[] {
    const schemas = schemasFor(tables, this.names);
    return tables.map(({ schema, table, oid }) => ({
      target: { schema, table, oid },
      schema: schemas.get(schema)?.staging ?? this.names.staging,
      table,
      oid: this.#retained.find(({ target }) => target.schema === schema && target.table === table)
        ?.oid as number,
      columns: [],
      rows: 0n,
      reached: {},
      writers: [],
      serverStart: null,
    }));
  }

  override ledger(): LedgerShare {
    const schemas = schemasFor(
      this.tables.map((each) => ({ schema: each.table_schema })),
      this.names,
    );
    return {
      undone: this.tables.map(({ table_schema: schema, table_name: table, facts }) => ({
        ...{ schema, table },
        // The table that was live until now is kept in turn, until cleanup.
        retained: { schema: schemas.get(schema)?.old ?? '', oid: Number(facts.live_oid) },
      })),
    };
  }

  override async tidy(): Promise<void> {
    await super.tidy();
    const { database } = this.site;
    // Where the old tables were kept and made ready there is nothing any more.
    const ready = (await ownSchemas(database, this.batch.id, this.names.staging)).map(({ schema }) => schema);
    const kept = [
      ...this.tables.map((each) => each.retained_schema as string),
      ...this.#retained.map(({ schema }) => schema),
    ];
    for (const schema of new Set([...ready, ...kept]))
      await dropOwnEmpty(database, this.batch.id, schema).catch(() => false);
  }

  /** The kept tables go back to where they are kept. */
  override async discard(): Promise<void> {
    if (this.staged.length === 0) return;
    const { database } = this.site;
    await returnRetained(
      await database.session(),
      this.staged,
      this.#retained,
      this.names,
      database.patience,
    );
  }
}
