import type { FinishedTable, FinishOptions } from '../../../../sinks/publish/replace/finish.js';
import { schemasFor } from '../../../../sinks/publish/replace/names.js';
import { shapeDifferences, shapeRefusal } from '../../../../sinks/publish/replace/shape.js';
import {
  createStaging,
  describeStaged,
  type StagedTable,
} from '../../../../sinks/publish/replace/staging.js';
import { surveyReplace } from '../../../../sinks/publish/replace/survey.js';
import type { Survey } from '../../../../sinks/publish/replace/surveyed.js';
import { holdsSameRows } from '../../../../sinks/publish/replace/unchanged.js';
import { type Changes, changes } from '../../../core/changes.js';
import type { Finding } from '../../../core/pipeline.js';
import { deletes, type PublishMode } from '../../../core/publish-mode.js';
import type { Target } from '../../../core/target.js';
import { readRowConstraints } from '../../../db/catalog/row-constraints.js';
import { withCatalog } from '../../../db/catalog/session.js';
import { readTables, tableOid } from '../../../db/catalog/table.js';
import { withRoom } from '../../../db/connect.js';
import type { Batch } from '../../../db/ledger/batches.js';
import { PINNED_BESIDE_CODE } from '../../../db/pinned.js';
import type { BatchNames } from '../../given/batch-names.js';
import { spareWriterSession } from '../../given/load-session.js';
import type { Refused } from '../../given/publish-plan.js';
import type { LiveTable } from '../../given/tables.js';
import type { Job } from '../../job/job.js';
import { isAllThere } from '../../known/copied-files.js';
import type { LedgerShare } from '../change.js';
import { handedRows } from '../handed.js';
import { assertNoOwnersCode } from '../owners-code.js';
import { assertThere, type StagingTable } from '../staging-table.js';
import type { Views } from '../views.js';
import { isAltered, isMisfit } from './altered.js';
import { assertStillReplaceable, refusalFindings, unreadFindings } from './findings.js';
import { Swap } from './swap.js';
import { withSync } from './sync-instead.js';

/** Tables that are replaced: staging takes the place of live, which is kept. */
export class Replace extends Swap {
  override readonly loads = true;
  override readonly effort = 2;
  readonly places = new Map<Target, StagingTable>();
  /** Rows that the tables have, as far as they were counted while nobody could write unseen. */
  readonly liveRows = new Map<Target, number>();
  /** Why tables cannot be replaced, with all that can be done. */
  refused: readonly Refused[] = [];

  constructor(
    private readonly job: Job,
    private readonly views: Views,
  ) {
    super(job.options);
  }

  protected override get names(): BatchNames {
    return this.job.names;
  }

  get #tables(): LiveTable[] {
    return this.job.tables.filter(({ target }) => target.mode === 'replace');
  }

  override async survey(): Promise<Finding[]> {
    await this.#assertSameShape();
    const client = await this.job.options.database.session();
    const replaced = this.#tables.filter(({ missing }) => missing !== true);
    this.surveyed =
      replaced.length === 0
        ? undefined
        : await surveyReplace(
            client,
            replaced.map(({ schema, table, target }) => ({
              ...{ schema, table },
              rewriteOids: this.job.options.rewriteOids ?? target.rewriteOids ?? false,
            })),
          );
    this.refused = await withSync(client, this.surveyed?.refusals ?? [], replaced);
    return [
      ...refusalFindings(this.refused),
      ...(this.surveyed === undefined ? [] : unreadFindings(this.surveyed)),
    ];
  }

  protected override assertReplaceable(now: Survey): Promise<void> {
    return assertStillReplaceable(this.job.options.database, now, this.job.tables);
  }

  override async stage(): Promise<void> {
    if (this.surveyed === undefined) return;
    const client = await this.job.options.database.session();
    await this.#take(await createStaging(client, this.surveyed, this.names));
  }

  override async adopt(batch: Batch): Promise<void> {
    const { database } = this.job.options;
    const client = await database.session();
    const tables = this.surveyed?.tables ?? [];
    const schemas = schemasFor(tables, this.names);
    const staged: StagedTable[] = [];
    for (const live of tables) {
      const schema = schemas.get(live.schema)?.staging ?? this.names.staging;
      await assertThere(database, batch, this.names.staging, schema, live);
      staged.push(await describeStaged(client, live, schema, live.table));
    }
    await this.#take(staged);
    await this.#assertSameShape();
  }

  /** Throws refused `owners_code` where the load would run code of others: what live got since the check, staging has. */
  async #take(staged: readonly StagedTable[]): Promise<void> {
    const { database, runOwnersCode } = this.job.options;
    this.staged = staged;
    if (runOwnersCode !== true)
      await assertNoOwnersCode(
        database,
        staged.map(({ schema, table }) => ({ schema, table, how: 'written', triggers: true })),
      );
    const client = await database.session();
    for (const { target, schema, table, oid } of staged) {
      const live = this.job.tables.find(
        (each) => each.schema === target.schema && each.table === target.table,
      );
      if (live === undefined) continue;
      const { checks } = await readRowConstraints(client, oid);
      this.places.set(live.target, { schema, table, numbered: false, checks });
    }
  }

  /**
   * Throws refused `shape` where the columns of a live table are not those that its staging was made after: before
   * anything asks the two of each other's rows, which the server could only refuse.
   */
  async #assertSameShape(): Promise<void> {
    if (this.staged.length === 0) return;
    const client = await this.job.options.database.session();
    const facts = await withCatalog(client, async () => {
      const oids: number[] = [];
      for (const { target, oid } of this.staged)
        oids.push((await tableOid(client, target.schema, target.table)) ?? 0, oid);
      return readTables(client, oids);
    });
    for (const [at, { target }] of this.staged.entries()) {
      const [live, have] = facts.slice(2 * at, 2 * at + 2);
      if (live === undefined || have === undefined) continue;
      const differing = shapeDifferences(live, have);
      if (differing.length > 0) throw shapeRefusal(`${target.schema}.${target.table}`, differing);
    }
  }

  protected override get finishing(): FinishOptions {
    const { database, log } = this.job.options;
    const handed = handedRows(this.job);
    return {
      expectedRows: new Map(
        this.#tables.map(({ target, schema, table }) => [`${schema}.${table}`, handed.get(target) ?? 0]),
      ),
      changing: this.#others(() => true),
      patience: database.patience,
      onProgress: (text) => log.info(text),
      connect: async () => {
        const more = await spareWriterSession(
          database,
          this.job.batch as string,
          'indexes',
          PINNED_BESIDE_CODE,
        );
        return more === undefined ? undefined : withRoom(more);
      },
    };
  }

  protected override get deleting(): ReadonlySet<string> {
    return this.#others(deletes);
  }

  /** The names of the tables whose rows the same publish changes, in modes that do so. */
  #others(does: (mode: PublishMode) => boolean): ReadonlySet<string> {
    const others = this.job.tables.filter(({ target }) => target.mode !== 'replace' && does(target.mode));
    return new Set(others.map(({ schema, table }) => `${schema}.${table}`));
  }

  protected override planned({ tables }: Survey): FinishedTable[] {
    const schemas = schemasFor(tables, this.names);
    return tables.map((live) => ({
      target: { schema: live.schema, table: live.table, oid: live.oid },
      schema: schemas.get(live.schema)?.staging ?? this.names.staging,
      table: live.table,
      oid: 0,
      columns: live.columns.filter((column) => column.generated === '').map((column) => column.name),
      rows: 0n,
      reached: {},
      writers: [],
      serverStart: null,
    }));
  }

  /** Whether staging holds exactly what live holds, row for row. */
  override async isUnchanged(until: number): Promise<boolean> {
    // Citus does not compare whole rows: to publish what is there already harms nobody.
    if (this.surveyed?.tables.some(({ distribution }) => distribution !== null) === true) return false;
    for (const { schema, table, target } of this.#tables) {
      const place = this.places.get(target) as StagingTable;
      if (!(await holdsSameRows(this.job.options.database, { schema, table }, place, until))) return false;
    }
    return true;
  }

  override ledger(): LedgerShare {
    const handed = handedRows(this.job);
    const ready = new Map(this.ready.map((table) => [table.target.oid, table]));
    const schemas = schemasFor(this.surveyed?.tables ?? [], this.names);
    const published = this.#tables.map(({ schema, table, target, oid }) => {
      const staged = ready.get(oid);
      const rows = handed.get(target) ?? 0;
      return {
        ...{ schema, table, mode: target.mode, rows },
        changes: replacing(rows, this.liveRows.get(target) ?? null),
        facts: {
          live_oid: staged?.oid ?? oid,
          replaced_oid: staged === undefined ? null : oid,
          ...(staged === undefined ? {} : { writers: staged.writers }),
          ...(isAllThere(this.job) ? { made_of: this.job.state.madeOf } : {}),
          ...(this.#rewrites(oid) ? { rewrote_oids: true } : {}),
          ...this.views.factsOf(oid),
        },
        // The replaced table keeps its OID and its name, in the batch's schema for its own one.
        retained: staged === undefined ? null : { schema: schemas.get(schema)?.old ?? this.names.old, oid },
      };
    });
    return { published };
  }

  /** What can be known before rows are staged of what becomes of `staged` rows, and of those that the table has. */
  foreseen({ target, missing }: LiveTable, staged: number): Changes {
    return replacing(staged, missing === true ? 0 : (this.liveRows.get(target) ?? null));
  }

  /** Whether the publish rewrites OIDs of the table `oid` that others keep: then its rollback does, too. */
  #rewrites(oid: number): boolean {
    return this.surveyed?.keptOids.found.some(({ target }) => target === oid) === true;
  }

  override async explain(error: unknown): Promise<unknown> {
    if (isAltered(error) || isMisfit(error)) {
      const shape = await this.#assertSameShape().then(
        () => undefined,
        (refusal: unknown) => refusal,
      );
      if (shape !== undefined) return shape;
    }
    return super.explain(error);
  }
}

/** A table that is replaced: all its rows go (null: nobody has counted them), and all that are staged come. */
function replacing(staged: number, deleted: number | null): Changes {
  return changes({ staged, inserted: staged, deleted });
}
