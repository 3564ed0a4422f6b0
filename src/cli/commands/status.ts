import type { Command } from 'commander';
import { commandErrors } from '../../core/errors/catalogue/command-line.js';
import { EXIT } from '../../core/errors/sluice-error.js';
import type { NextStep } from '../../core/next.js';
import { noun } from '../../core/plural.js';
import type { Batch } from '../../db/ledger/batches.js';
import { KEPT_DAYS, listKept } from '../../run/given/cleanup-command.js';
import type { WorkersState } from '../../run/load/workers/state.js';
import type { Versions } from '../../run/maintain/versions.js';
import { type DatabaseFlags, queueOption, withDatabase } from '../given/flags.js';
import { nextOf, stateOf } from '../show/batch.js';

/** Batches listed without --all. */
const LISTED = 20;

interface StatusFlags extends DatabaseFlags {
  readonly watch?: boolean;
  readonly queue?: string;
}

/** `sluice status [B]` */
export function declareStatus(root: Command): void {
  withDatabase(root.command('status').argument('[batch]', 'its id; left out: the latest batches'))
    .description('what batches there are, how far one is, what it published, and what to do next')
    .option('--watch', 'show how far the batch is until it ends (ends with 1 where the batch failed)')
    .addOption(queueOption())
    .action(async (id: string | undefined, flags: StatusFlags) => {
      const { withQueue, withReading } = await import('../given/session.js');
      if (flags.watch === true && id === undefined) throw commandErrors.which_batch();
      process.exitCode = await withReading(flags.databaseUrl, async (session) => {
        const { database, signal } = session;
        const { findBatch, listBatches } = await import('../../db/ledger/batches.js');
        const { readPublished } = await import('../../db/ledger/published.js');
        const { keptInAll } = await import('../../run/maintain/cleanup.js');
        const { requireLedger } = await import('../../db/ledger/open.js');
        const { asJson } = await import('../show/next.js');
        const { print } = await import('../show/terminal.js');
        await requireLedger(database);
        if (id === undefined) {
          const batches = await listBatches(database, LISTED);
          if (flags.json === true) print(JSON.stringify(batches));
          else await showList(batches, await keptInAll(database));
          return EXIT.done;
        }
        if (flags.watch === true) {
          const { watchBatch } = await import('./watch.js');
          return watchBatch({ database, signal }, id, flags.json === true);
        }
        const batch = await findBatch(database, id);
        const published = await readPublished(database, id);
        const { versionsInUse } = await import('../../run/maintain/versions.js');
        const versions = await versionsInUse(database, id);
        const { resubmit, resubmittedLines } = await import('../show/resubmit.js');
        const back = await resubmit(database, batch);
        const next = nextOf(batch, published, back);
        const { workersState } = await import('../../run/load/workers/state.js');
        const workers = await withQueue(session, flags.queue, (queue) =>
          workersState(database, queue, batch),
        );
        if (flags.json === true)
          print(
            asJson({
              ...batch,
              published,
              ...(versions === undefined ? {} : { versions }),
              workers: workers ?? null,
              next,
            }),
          );
        else {
          const rejects = [
            ...(batch.only_rejects_of === null
              ? []
              : [`its rows are corrected rejects of batch ${batch.only_rejects_of}`]),
            ...(await resubmittedLines(database, id)),
          ];
          const lines = [...rejects, ...(back === undefined ? [] : [back.text])];
          await showOne(batch, published, { versions, workers }, lines, next);
        }
        return EXIT.done;
      });
    });
}

async function showList(
  batches: readonly Batch[],
  kept: { readonly tables: number; readonly bytes: number },
): Promise<void> {
  const { sayNext } = await import('../show/next.js');
  const { table } = await import('../show/table.js');
  const { bytes, count, counted, moment, print } = await import('../show/terminal.js');
  print(
    ...table(
      ['batch', 'pipeline', 'status', 'read', 'rejected', 'skipped', 'started', 'by'],
      batches.map((batch) => [
        batch.id,
        batch.pipeline,
        stateOf(batch),
        count(batch.total_records),
        count(batch.error_count),
        count(batch.skip_count),
        moment(batch.started_at),
        batch.started_by,
      ]),
      { right: [3, 4, 5] },
    ),
  );
  if (kept.tables > 0)
    sayNext(
      `kept for rollbacks: ${counted(kept.tables, 'table')}, ${bytes(kept.bytes)}; cleanup drops what is older than ${KEPT_DAYS} days`,
      listKept().saying({ note: 'lists all of it' }),
    );
}

async function showOne(
  batch: Batch,
  published: Awaited<ReturnType<typeof import('../../db/ledger/published.js').readPublished>>,
  {
    versions,
    workers,
  }: { readonly versions: Versions | undefined; readonly workers: WorkersState | undefined },
  rejects: readonly string[],
  next: readonly NextStep[],
): Promise<void> {
  const { table } = await import('../show/table.js');
  const { bytes, count, moment, print } = await import('../show/terminal.js');
  const { changesText } = await import('../show/changes.js');
  const settings = Object.entries(batch.settings)
    .map(([name, value]) => `${name}=${value}`)
    .join('; ');
  const rows: string[][] = [
    ['batch', batch.id],
    ['pipeline', batch.pipeline],
    ['status', stateOf(batch)],
    ['started', `${moment(batch.started_at)} by ${batch.started_by}`],
    ['ended', moment(batch.completed_at)],
    ['input', batch.source_file ?? batch.source],
    ...(settings === '' ? [] : [['settings', settings]]),
    [
      'records',
      `${count(batch.total_records)} read, ${count(batch.success_count)} loaded, ${count(batch.skip_count)} skipped, ${count(batch.error_count)} rejected`,
    ],
  ];
  if (batch.error !== null) rows.push(['error', batch.error.message]);
  if (batch.log_file !== null) rows.push(['log', batch.log_file]);
  print(...table(['', ''], rows));
  if (workers !== undefined) {
    const { workersLines } = await import('../show/workers.js');
    print('', ...workersLines(workers));
  }
  if (published.length > 0) {
    print('');
    print(
      ...table(
        ['table', 'how', 'rows', 'of them', 'published', 'kept for rollback', 'occupies'],
        published.map((each) => [
          `${each.table_schema}.${each.table_name}`,
          each.mode,
          count(each.rows_staged),
          changesText(each.changes),
          each.rolled_back_at === null
            ? moment(each.published_at)
            : `rolled back ${moment(each.rolled_back_at)}`,
          each.dropped_at !== null
            ? 'no'
            : each.retained_schema !== null
              ? `in ${each.retained_schema}`
              : each.mode === 'replace'
                ? 'no'
                : 'the rows as they were',
          each.bytes === null ? '' : bytes(each.bytes),
        ]),
        { right: [2, 6] },
      ),
    );
  }
  const found = Object.entries(batch.changes ?? {});
  if (found.length > 0) {
    print('');
    print(
      ...table(
        ['table', 'rows', 'of them'],
        found.map(([name, of]) => [name, count(of.staged), changesText(of)]),
        { right: [1] },
      ),
    );
  }
  if (batch.record_summary !== null) {
    const { recordLines } = await import('../show/records.js');
    for (const line of recordLines(batch.record_summary)) print(line);
  }
  if (versions !== undefined) await showVersions(versions);
  if ((batch.accounting ?? []).length > 0) {
    const { stagesTable } = await import('../show/stages.js');
    print('');
    print(...stagesTable(batch.accounting ?? [], ''));
  }
  if (rejects.length > 0) print('', ...rejects);
  print('');
  const { nextLines } = await import('../show/next.js');
  for (const [at, step] of nextLines(next, process.stdout).entries())
    print(`${at === 0 ? 'next:' : '     '} ${step}`);
}

/** Which version is in use, and by whom: the views can go when nobody uses the old names any more. */
async function showVersions({ views, uses, old_tables_last_read, hidden }: Versions): Promise<void> {
  const { table } = await import('../show/table.js');
  const { moment, print, say } = await import('../show/terminal.js');
  print('');
  print(`views under the old names: ${views.join(', ')}`);
  if (uses.length === 0) print('  neither version is in use now, and nobody has written through the views');
  else
    print(
      ...table(
        ['version', 'application', 'role', 'sessions', 'last statement', 'last write through a view'],
        uses.map((each) => [
          each.version,
          each.application === '' ? '(no name)' : each.application,
          each.role,
          String(each.sessions),
          moment(each.last_statement),
          moment(each.last_write),
        ]),
        { right: [3] },
      ),
    );
  if (old_tables_last_read !== null)
    print(`the old tables that are kept aside were last read ${moment(old_tables_last_read)}`);
  if (hidden > 0)
    say(
      `the statements of ${hidden} more ${noun(hidden, 'session')} may not be seen: GRANT pg_read_all_stats TO this role`,
    );
}
