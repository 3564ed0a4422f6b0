import { type MadeView, undoViewParts } from '../../../sinks/publish/compat-views/index.js';
import { finishStaging } from '../../../sinks/publish/replace/finish.js';
import { schemasFor } from '../../../sinks/publish/replace/names.js';
import { replaceParts } from '../../../sinks/publish/replace/parts.js';
import { assertReplaceable, surveyReplace } from '../../../sinks/publish/replace/survey.js';
import type { ReplaceTarget, Survey } from '../../../sinks/publish/replace/surveyed.js';
import { adoptAsStaging, type RetainedTable, returnRetained } from '../../../sinks/publish/replace/undo.js';
import { undoParts } from '../../../sinks/publish/rows/undo.js';
import { surveyUndo } from '../../../sinks/publish/rows/undo-survey.js';
import { type WindowPart, windowSql } from '../../../sinks/publish/window.js';
import type { Guard } from '../../../sinks/publish/write-guard/names.js';
import { isError } from '../../core/errors/is-error.js';
import { again } from '../../core/next.js';
import { type Batch, noteBatch } from '../../db/ledger/batches.js';
import { undoSql } from '../../db/ledger/publish-sql.js';
import { findKept, type Published, readPublished, undoneSince } from '../../db/ledger/published.js';
import { hasRecords, undoRecordsSql } from '../../db/ledger/records.js';
import { viewsUndoneSql } from '../../db/ledger/views.js';
import { tidyCompatibility } from '../changes/compat-views.js';
import { dropOwnEmpty } from '../changes/discard.js';
import { dropMade } from '../changes/missing-tables.js';
import { assertNoOwnersCode, type CodeOf, codeParts } from '../changes/owners-code.js';
import { recordPart } from '../changes/records.js';
import { dropViewParts } from '../changes/views.js';
import { arm, disarm, guarded, guardOf } from '../changes/write-guard.js';
import { asFailure } from '../end/failure.js';
import { namingFullDisk } from '../end/full-disk.js';
import { behindCommit } from '../end/stopping.js';
import { undoNames } from '../given/undo-schemas.js';
import { isAltered, tellAltered, tellUnlike } from '../publish/altered.js';
import { runWindow, timesOf } from '../publish/publish.js';
import { tidy } from '../publish/tidy.js';
import { type Choice, nameOf } from './choice.js';
import { leftBehind, type RollbackOptions, type RolledBack, unchanged } from './session.js';
import { assertUnwritten, previewTables, type UndoneTable } from './written-since.js';

/** The undo of what a batch has published, as far as `choice` says. */
export class Undo {
  readonly targets: readonly { readonly schema: string; readonly table: string }[];
  readonly #replaced: readonly Published[];
  readonly #rows: readonly Published[];

  constructor(
    readonly batch: Batch,
    readonly choice: Choice,
    readonly views: readonly MadeView[],
    readonly options: RollbackOptions,
  ) {
    this.targets = choice.tables.map((each) => ({ schema: each.table_schema, table: each.table_name }));
    this.#replaced = choice.tables.filter((each) => each.mode === 'replace');
    this.#rows = choice.tables.filter((each) => each.mode !== 'replace');
  }

  async preview(): Promise<RolledBack> {
    const client = await this.options.database.session();
    const tables = await this.#look();
    const parts: WindowPart[] = [];
    const retained = await this.#retained();
    if (retained.length > 0) {
      const survey = await surveyReplace(client, this.#targets(retained));
      assertReplaceable(survey);
      const names = undoNames(this.batch.id);
      const schemas = schemasFor(survey.tables, names);
      const ready = survey.tables.map((live) => ({
        target: { schema: live.schema, table: live.table, oid: live.oid },
        schema: schemas.get(live.schema)?.staging ?? names.staging,
        table: live.table,
        oid: retained.find(({ target }) => target.schema === live.schema && target.table === live.table)
          ?.oid as number,
        columns: [],
        rows: 0n,
        reached: {},
        writers: [],
        serverStart: null,
      }));
      parts.push(...replaceParts(survey, ready, names));
    }
    parts.push(
      ...(await this.#rowParts()),
      ...(await this.#recordPart()),
      ...(await dropViewParts(this.options.database, this.choice.tables)),
      ...undoViewParts(this.views, this.batch.id),
    );
    const statements = windowSql(parts, { ...timesOf(parts), ledger: this.#ledger() });
    return { ...this.#done(tables), statements, lock_ms: null };
  }

  /** `stopped` ends the cancelling of statements that an abort of `signal` begins. */
  async run(signal: AbortSignal, stopped: () => Promise<void>): Promise<RolledBack> {
    const { options, batch } = this;
    const { database } = options;
    const client = await database.session();
    const names = undoNames(batch.id);
    const guard = guardOf(`undo_${batch.id}`);
    const retained = await this.#retained();
    const replaced = retained.map(({ target }) => target);
    let survey: Survey | undefined;
    let adopted: Awaited<ReturnType<typeof adoptAsStaging>> = [];
    let committed = false;
    await noteBatch(database, batch.id, { phase: 'rollback' });
    try {
      // Armed before the look at the rows: what is written after it is found under the lock.
      if (options.discardWrites !== true && replaced.length > 0) {
        await disarm(database, guard);
        await arm(database, guard, replaced);
      }
      const tables = await this.#look();
      if (options.discardWrites !== true) assertUnwritten(tables);
      const parts: WindowPart[] = [];
      if (replaced.length > 0) {
        options.events?.phase?.('prepare', 'bringing the kept tables up to what live is now');
        survey = await surveyReplace(client, this.#targets(retained));
        adopted = await adoptAsStaging(client, survey, retained, names);
        const finished = await finishStaging(client, survey, adopted, { expectedRows: new Map() });
        const swaps = replaceParts(survey, finished.tables, names);
        parts.push(...(options.discardWrites === true ? swaps : guarded(guard, swaps, replaced)));
      }
      parts.push(
        ...(await this.#rowParts()),
        ...(await this.#recordPart()),
        ...(await dropViewParts(database, this.choice.tables)),
        ...undoViewParts(this.views, batch.id),
      );
      options.events?.phase?.('rollback', 'putting it back');
      const { lockMs } = await runWindow(options, {
        batch: batch.id,
        isDone: async (ledger) =>
          (await readPublished(ledger, batch.id))
            .filter((each) => this.choice.tables.some((chosen) => nameOf(chosen) === nameOf(each)))
            .every((each) => each.rolled_back_at !== null),
        parts,
        ledger: this.#ledger(),
        rehearse: false,
        signal,
      });
      committed = true;
      await stopped();
      await behindCommit(options, signal, `batch ${batch.id} is rolled back`, async () => {
        if (survey !== undefined) await tidy({ options, names }, { replace: { survey, tables: [] } });
        // Where the old tables were kept there is nothing any more.
        const kept = this.#replaced.map((each) => each.retained_schema as string);
        for (const schema of new Set([...kept, ...retained.map((each) => each.schema)]))
          await dropOwnEmpty(database, batch.id, schema).catch(() => false);
        if (this.choice.whole) await this.#dropMade();
        await tidyCompatibility(database, batch.id);
        await this.#lower(guard);
      });
      return { ...this.#done(tables), lock_ms: lockMs };
    } catch (error) {
      if (committed) throw error;
      await stopped();
      await database.recover();
      const failure = asFailure(await this.#altered(error, survey), signal);
      const told = unchanged(await namingFullDisk(database, failure, again()));
      // It may have committed: the next command asks the ledger.
      if (isError(told, 'outcome_unknown')) throw told;
      try {
        if (adopted.length > 0) await returnRetained(await database.session(), adopted, retained, names);
        await disarm(database, guard);
        await noteBatch(database, batch.id, { phase: null });
      } catch (second) {
        throw leftBehind(told, second);
      }
      throw told;
    }
  }

  /** `error` with what was altered under the rollback, or the refusal that follows from it. */
  async #altered(error: unknown, survey: Survey | undefined): Promise<unknown> {
    if (survey === undefined) return error;
    const { database } = this.options;
    if (isAltered(error)) return tellAltered(database, survey, error).catch((refusal: unknown) => refusal);
    return (await tellUnlike(database, survey, error)) ?? error;
  }

  /** Takes the rollback's own guard away, or leaves that to the next command. */
  async #lower(guard: Guard): Promise<void> {
    const { database, events } = this.options;
    try {
      await disarm(database, guard);
      await noteBatch(database, this.batch.id, { phase: null });
    } catch (error) {
      events?.warn?.(
        `batch ${this.batch.id} is rolled back; the next command takes away what guarded its tables meanwhile, since ${(error as Error).message}`,
      );
    }
  }

  /** Tables that the batch made are empty again, as before it there were none. */
  async #dropMade(): Promise<void> {
    const { events, database } = this.options;
    const { dropped, kept } = await dropMade(database, this.batch.id);
    if (dropped.length > 0) events?.note?.(`dropped, since this batch had made them: ${dropped.join(', ')}`);
    if (kept.length > 0)
      events?.warn?.(
        `${kept.join(', ')}, which this batch had made, stay: at least one of them is in use by now`,
      );
  }

  #done(tables: readonly UndoneTable[]): Pick<RolledBack, 'batch' | 'whole' | 'tables' | 'views'> {
    const views = this.views.map(({ schema, name }) => `${schema}.${name}`);
    return { batch: this.batch.id, whole: this.choice.whole, tables, views };
  }

  async #look(): Promise<UndoneTable[]> {
    return previewTables(this.options.database, this.batch.id, this.choice.tables, await this.#surveyRows());
  }

  async #surveyRows() {
    if (this.#rows.length === 0) return [];
    return surveyUndo(
      await this.options.database.session(),
      { undo: this.batch.old_schema as string },
      this.#rows.map((each) => ({ schema: each.table_schema, table: each.table_name })),
      (target) => undoneSince(this.options.database, this.batch.id, target),
    );
  }

  /** What is written by the undo: rows of tables that were not replaced. */
  get #written(): CodeOf[] {
    if (this.options.runOwnersCode === true) return [];
    return this.#rows.map((each) => ({
      ...{ schema: each.table_schema, table: each.table_name },
      ...{ how: 'written', triggers: true },
    }));
  }

  async #rowParts(): Promise<WindowPart[]> {
    await assertNoOwnersCode(this.options.database, this.#written);
    const undone = await undoParts(await this.#surveyRows(), {
      discardWrites: this.options.discardWrites ?? false,
    });
    return [...codeParts(this.#written), ...undone];
  }

  async #recordPart(): Promise<WindowPart[]> {
    if (!(await hasRecords(this.options.database, this.batch.id))) return [];
    return recordPart([undoRecordsSql(this.batch.id, this.targets)], false);
  }

  async #retained(): Promise<RetainedTable[]> {
    const kept = await findKept(this.options.database, this.batch.id);
    return this.#replaced.map((each) => ({
      target: { schema: each.table_schema, table: each.table_name },
      schema:
        kept.find((table) => table.oid === each.retained_oid)?.schema ?? (each.retained_schema as string),
      table: each.table_name,
      oid: each.retained_oid as number,
    }));
  }

  /** What is to come back, as a survey asks for it: OIDs that the publish has rewritten are rewritten back. */
  #targets(retained: readonly RetainedTable[]): ReplaceTarget[] {
    return retained.map(({ target: { schema, table } }) => {
      const published = this.#replaced.find(
        (each) => each.table_schema === schema && each.table_name === table,
      );
      const rewriteOids = this.options.rewriteOids === true || published?.facts.rewrote_oids === true;
      return { schema, table, rewriteOids };
    });
  }

  #ledger(): string[] {
    const schemas = schemasFor(
      this.#replaced.map((each) => ({ schema: each.table_schema })),
      undoNames(this.batch.id),
    );
    const views = this.views.length === 0 ? [] : [viewsUndoneSql(this.batch.id)];
    const tables = undoSql(
      this.batch.id,
      this.choice.tables.map((each) => ({
        schema: each.table_schema,
        table: each.table_name,
        // The table that was live until now is kept in turn, until cleanup.
        retained:
          each.mode === 'replace'
            ? { schema: schemas.get(each.table_schema)?.old ?? '', oid: Number(each.facts.live_oid) }
            : null,
      })),
      this.choice.whole,
    );
    return [...tables, ...views];
  }
}
