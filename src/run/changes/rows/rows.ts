import { shapeRefusal } from '../../../../sinks/publish/replace/shape.js';
import { renewUndoTables } from '../../../../sinks/publish/rows/counts.js';
import { changesSql, goneFrom, imageDifferences } from '../../../../sinks/publish/rows/differences.js';
import { afterSwap } from '../../../../sinks/publish/rows/order.js';
import { type RowPublish, rowParts } from '../../../../sinks/publish/rows/parts.js';
import { precheckRows } from '../../../../sinks/publish/rows/precheck.js';
import { rowRefusal } from '../../../../sinks/publish/rows/refusals.js';
import { firing } from '../../../../sinks/publish/rows/sql.js';
import { createRowStaging } from '../../../../sinks/publish/rows/staging.js';
import { surveyRows } from '../../../../sinks/publish/rows/survey.js';
import {
  COUNTS_TABLE,
  type RowNames,
  type RowTableFacts,
  type RowTarget,
} from '../../../../sinks/publish/rows/target.js';
import type { WindowPart } from '../../../../sinks/publish/window.js';
import { totals } from '../../../core/accounting.js';
import { type Changes, changes } from '../../../core/changes.js';
import type { Finding } from '../../../core/pipeline.js';
import { plural } from '../../../core/plural.js';
import { deletes, findsByKey, inserts, type PublishMode } from '../../../core/publish-mode.js';
import type { Target } from '../../../core/target.js';
import { askUntil } from '../../../db/ask-until.js';
import { inTransaction } from '../../../db/catalog/session.js';
import type { Batch } from '../../../db/ledger/batches.js';
import { isOwn, makeSchemas, noteSchemasSql } from '../../../db/own-schemas.js';
import { qualified } from '../../../db/quote.js';
import type { LiveTable } from '../../given/tables.js';
import type { Job } from '../../job/job.js';
import { causeOf } from '../cause.js';
import { Change, type LedgerShare } from '../change.js';
import { handedRows } from '../handed.js';
import { isAltered, isMisfit } from '../replace/altered.js';
import type { Replace } from '../replace/replace.js';
import { imageTables } from '../schemas.js';
import { assertThere, isNumbered, type StagingTable } from '../staging-table.js';
import type { Views } from '../views.js';

/** How long it takes to ask whether anything would change: an empty append is one question. */
const COST: Readonly<Record<PublishMode, number>> = { append: 0, patch: 1, merge: 1, sync: 1, replace: 2 };

type Place = Pick<LiveTable, 'schema' | 'table'>;
type RowsOf = LiveTable & { readonly target: Target & { readonly mode: RowTarget['mode'] } };

/** Tables whose rows are changed: by append, merge, sync or patch, each as sinks/publish/rows does it. */
export class Rows extends Change {
  readonly question = 'publishing';
  override readonly loads = true;
  override readonly effort = 1;
  readonly places = new Map<Target, StagingTable>();
  /** The tables whose loaded rows were asked what they break: the rest is for the publish to tell. */
  readonly asked = new Set<Target>();
  #surveyed: ReadonlyMap<Target, RowTableFacts> = new Map();

  constructor(
    private readonly job: Job,
    private readonly replace: Replace,
    private readonly views: Views,
  ) {
    super();
  }

  /**
   * What the catalog says of the tables, as their staging is: it may have been made when live was another. Where rows
   * were rejected, a sync deletes nothing: a row of live that staging lacks may be one of those, whose key nobody may
   * have read.
   */
  get facts(): ReadonlyMap<Target, RowTableFacts> {
    const keepGone = totals(this.job.state.accounts).rejected > 0;
    // What is staged for a table that refers to it is not there any more once that is replaced.
    const isLive = ({ schema, table }: Place) =>
      !this.replace.staged.some((staged) => staged.schema === schema && staged.table === table);
    const asStaged = ([target, facts]: readonly [Target, RowTableFacts]) => {
      const place = this.places.get(target);
      return [
        target,
        {
          ...facts,
          live: { ...facts.live, children: facts.live.children.filter(isLive) },
          numbered: place === undefined ? facts.numbered : place.numbered,
          ...(keepGone ? { target: { ...facts.target, keepGone } } : {}),
        },
      ] as const;
    };
    return new Map([...this.#surveyed].map(asStaged));
  }

  /** Where the tables' staging and images are. */
  get names(): RowNames {
    return { staging: this.job.names.staging, undo: this.job.names.old, batch: this.job.names.batch };
  }

  get #tables(): RowsOf[] {
    // Of a table that is not there yet nothing can be surveyed; the run does it once it is.
    return this.job.tables.filter(
      (table): table is RowsOf => table.target.mode !== 'replace' && table.missing !== true,
    );
  }

  override async survey(): Promise<Finding[]> {
    if (this.places.size > 0) await this.#assertSameShape();
    const client = await this.job.options.database.session();
    const surveyed = new Map<Target, RowTableFacts>();
    for (const { target, schema, table } of this.#tables) {
      const { mode, key, missing, columns = [] } = target;
      const noTriggers = this.job.options.noTriggers ?? target.noTriggers;
      const allowSuppressed = this.job.options.allowSuppressed ?? target.allowSuppressed;
      surveyed.set(
        target,
        await surveyRows(client, {
          ...{ schema, table, mode, columns },
          ...(key === undefined ? {} : { key }),
          ...(noTriggers === undefined ? {} : { noTriggers }),
          ...(allowSuppressed === undefined ? {} : { allowSuppressed }),
          ...(missing === undefined ? {} : { missing }),
        }),
      );
    }
    this.#surveyed = surveyed;
    return this.#sameNames();
  }

  /** Staging has one table of a name. */
  #sameNames(): Finding[] {
    return this.#tables.flatMap(({ schema, table }, at): Finding[] => {
      const others = this.job.tables.filter((each) => each.table === table && each.schema !== schema);
      const [other] = others.filter((each) => this.#tables.findIndex((of) => of.oid === each.oid) < at);
      if (other === undefined) return [];
      return [
        {
          severity: 'error',
          message: `${other.schema}.${table} and ${schema}.${table} are called the same, and can be published in one batch only where both are replaced`,
          next: 'publish them by pipelines of their own, one after the other',
        },
      ];
    });
  }

  override async stage(): Promise<void> {
    if (this.#surveyed.size === 0) return;
    const client = await this.job.options.database.session();
    const { staging, old, batch } = this.job.names;
    await inTransaction(client, [], async () => {
      await makeSchemas(client, [staging, old], { batch });
      await client.query(noteSchemasSql(batch, [staging, old]));
    });
    for (const [target, facts] of this.#surveyed) {
      const { schema, table } = await createRowStaging(client, facts, this.names);
      this.places.set(target, { schema, table, numbered: facts.numbered, checks: [] });
    }
  }

  override async adopt(batch: Batch): Promise<void> {
    const { database } = this.job.options;
    const targets = [...this.#surveyed.values()].map(({ target }) => target);
    if (targets.length > 0) await renewUndoTables(await database.session(), this.names, targets);
    for (const target of this.#surveyed.keys()) {
      const live = this.job.tableOf(target);
      const place = { schema: this.names.staging, table: live.table };
      await assertThere(database, batch, this.names.staging, place.schema, live);
      this.places.set(target, { ...place, numbered: await isNumbered(database, place), checks: [] });
    }
    await this.#assertSameShape();
  }

  /** Throws refused `shape` where the columns of live are not those that staging was made after. */
  async #assertSameShape(): Promise<void> {
    for (const { schema, table } of this.#tables) {
      const differing = await imageDifferences(this.job.options.database, { schema, table }, this.names);
      if (differing.length > 0) throw shapeRefusal(`${schema}.${table}`, differing);
    }
  }

  override async prepare(): Promise<void> {
    const client = await this.job.options.database.session();
    await this.#tellKept();
    for (const [target, facts] of this.facts)
      await precheckRows(client, facts, this.names, this.asked.has(target));
  }

  /**
   * Tells of each table that is published by differences, and of which rows were rejected, how many rows stay that the
   * load lacks: a row of live that a reject stands for is one of them, and is not gone.
   */
  async #tellKept(): Promise<void> {
    const { database, events, log } = this.job.options;
    for (const facts of this.facts.values()) {
      const { mode, keepGone, schema, table } = facts.target;
      if (!deletes(mode) || keepGone !== true) continue;
      const [found] = await database.query<{ rows: number }>(
        `SELECT pg_catalog.count(*)::pg_catalog.float8 AS rows ${goneFrom(facts, this.names)}`,
      );
      const kept = found?.rows ?? 0;
      if (kept === 0) continue;
      log.warn('rows that the load lacks are kept, since rows were rejected', { table, kept });
      events?.warn?.(
        `${schema}.${table}: ${plural(kept, 'row')} that the load lacks ${kept === 1 ? 'stays' : 'stay'}: with rejects a sync deletes nothing, for they may be rows that were rejected; once those are resubmitted, corrected, it deletes what is gone`,
      );
    }
  }

  override async isUnchanged(until: number): Promise<boolean> {
    const quickFirst = [...this.facts.values()].sort((a, b) => COST[a.target.mode] - COST[b.target.mode]);
    for (const facts of quickFirst) {
      const { database } = this.job.options;
      const row = await askUntil<{ changes: boolean }>(database, until, changesSql(facts, this.names));
      if (row?.changes !== false) return false;
    }
    return true;
  }

  /**
   * What can be known before rows are staged of what becomes of `staged` rows: those that are merged or patched are
   * compared with live only then, and a trigger decides only when it fires.
   */
  foreseen({ target, missing }: LiveTable, staged: number): Changes {
    const facts = this.facts.get(target);
    const quiet =
      missing === true ||
      (facts !== undefined && (facts.target.noTriggers === true || firing(facts).length === 0));
    if (!findsByKey(target.mode))
      return changes({ staged, ...(quiet ? { inserted: staged } : { inserted: null, suppressed: null }) });
    return changes({
      ...{ staged, inserted: null, updated: null, unchanged: null, missing: null, suppressed: null },
      ...(deletes(target.mode) ? { deleted: null, deletes_suppressed: null } : {}),
      ...(inserts(target.mode) ? { missing: 0 } : { inserted: 0 }),
      ...(quiet ? { suppressed: 0 } : {}),
    });
  }

  get #publishes(): RowPublish[] {
    const handed = this.places.size === 0 ? undefined : handedRows(this.job);
    const of = [...this.facts].map(([target, facts]) => ({
      ...{ facts, live: facts.live, mode: facts.target.mode, names: this.names },
      ...(handed === undefined ? {} : { handed: handed.get(target) ?? 0 }),
    }));
    const behind = afterSwap(of, this.replace.surveyed?.tables ?? []);
    return of.map((one) => ({ ...one, late: behind.has(one) }));
  }

  /** Whether some of the rows are changed only after the swap of other tables. */
  get late(): boolean {
    return this.#publishes.some(({ late }) => late === true);
  }

  override window(parts: readonly WindowPart[]): readonly WindowPart[] {
    return [...parts, ...rowParts(this.#publishes)];
  }

  override ledger(): LedgerShare {
    const handed = handedRows(this.job);
    const published = this.#tables.map(({ schema, table, target, oid }) => ({
      ...{ schema, table, mode: target.mode, rows: handed.get(target) ?? 0 },
      changes: qualified(this.names.undo, COUNTS_TABLE),
      facts: { live_oid: oid, replaced_oid: null, ...this.views.factsOf(oid) },
      retained: null,
    }));
    return { published };
  }

  override async explain(error: unknown): Promise<unknown> {
    const refusal = rowRefusal(causeOf(error));
    if (refusal !== undefined || !(isAltered(error) || isMisfit(error))) return refusal;
    return this.#assertSameShape().then(
      () => undefined,
      (shape: unknown) => shape,
    );
  }

  /** Drops the tables that undo would have used. */
  override async discard(): Promise<void> {
    const { database } = this.job.options;
    const { batch, old } = this.job.names;
    const images = this.job.tables
      .filter(({ target }) => target.mode !== 'replace')
      .flatMap(({ schema, table }) => imageTables(schema, table));
    if (images.length === 0 || !(await isOwn(database, batch, old))) return;
    const names = [...images, COUNTS_TABLE].map((image) => qualified(old, image));
    await (await database.session()).query(`DROP TABLE IF EXISTS ${names.join(', ')}`);
  }
}
