import type { Command } from 'commander';
import type { Flags } from '../../core/command.js';
import { errorAnswer } from '../../core/errors/answer.js';
import { commandErrors } from '../../core/errors/catalogue/command-line.js';
import { EXIT } from '../../core/errors/sluice-error.js';
import { again } from '../../core/next.js';
import type { Session } from '../../program/database.js';
import { noSummary } from '../../run/end/no-summary.js';
import type { UndoneTable } from '../../run/rollback/rolled-back.js';
import { collect, type DatabaseFlags, RUN_OWNERS_CODE, withDatabase } from '../given/flags.js';
import { answerFailureWith } from '../show/failure.js';
import { sayNext } from '../show/next.js';
import { count, counted } from '../show/terminal.js';

interface RollbackFlags extends DatabaseFlags {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly discardWrites?: boolean;
  readonly rewriteOids?: boolean;
  readonly runOwnersCode?: boolean;
  readonly backupFile?: string;
  readonly pipeline?: string;
  readonly table: readonly string[];
  readonly views?: boolean;
}

/** The restore that was asked for beside a batch. */
const withoutBatch = ({ backupFile, pipeline }: RollbackFlags): Flags => ({
  ...(backupFile === undefined ? {} : { backupFile }),
  ...(pipeline === undefined ? {} : { pipeline }),
});

/** `sluice rollback B`, `sluice rollback --backup-file F` */
export function declareRollback(root: Command): void {
  withDatabase(root.command('rollback').argument('[batch]', 'its id'))
    .description('put back what a batch replaced or changed; or restore from a backup file')
    .option('--yes', 'do not ask; needed off a terminal')
    .option('--dry-run', 'say what would be put back; change nothing')
    .option('--discard-writes', 'also where rows were written since: they are lost')
    .option(
      '--rewrite-oids',
      'OIDs of the table that other rows keep become those of the one that comes back',
    )
    .option('--run-owners-code', RUN_OWNERS_CODE)
    .option('--table <name>', 'only this table of the batch; may be repeated', collect, [])
    .option('--views', 'only the views under old names; the old tables take their names again')
    .option('--backup-file <file>', 'restore from this file alone, though the old tables are gone')
    .option(
      '--pipeline <name>',
      'the pipeline that wrote the backup file (default: the file says, of those that come with Sluice)',
    )
    .action(async (id: string | undefined, flags: RollbackFlags) => {
      answerFailureWith((error) => {
        if (id === undefined) return noSummary(flags.pipeline ?? null, error);
        const { kind: status, answer } = errorAnswer(error);
        return { ...NOTHING, batch: id, status, error: answer };
      });
      if (id === undefined && flags.table.length > 0) throw commandErrors.which.tableOfBatch();
      if (flags.views === true && (id === undefined || flags.table.length > 0))
        throw commandErrors.which.viewsOfBatch({ batch: id });
      if ((id === undefined) === (flags.backupFile === undefined))
        throw id === undefined
          ? commandErrors.which.batchOrBackup()
          : commandErrors.which.batchAndBackup({ withoutBatch: withoutBatch(flags) });
      const { withSession } = await import('../given/session.js');
      process.exitCode = await withSession(flags.databaseUrl, (session) =>
        id === undefined ? fromFile(session, flags.backupFile as string, flags) : ofBatch(session, id, flags),
      );
    });
}

/** What --json says of a rollback that put nothing back. */
const NOTHING = { whole: false, tables: [], views: [], made_views: [], lock_ms: null } as const;

async function ofBatch(session: Session, id: string, flags: RollbackFlags): Promise<number> {
  const { rollbackBatch } = await import('../../run/rollback.js');
  const { rollbackViews } = await import('../../run/rollback/old-names.js');
  const { writtenLines } = await import('../../run/rollback/written-since.js');
  const { batchLog } = await import('../show/log.js');
  const { showProgress } = await import('../show/progress.js');
  const { ask } = await import('../given/ask.js');
  const { table } = await import('../show/table.js');
  const { print, say, styled } = await import('../show/terminal.js');
  const log = batchLog();
  log.discard();
  const progress = await showProgress();
  const options = {
    database: session.database,
    signal: session.signal,
    log,
    events: progress,
    discardWrites: flags.discardWrites ?? false,
    rewriteOids: flags.rewriteOids ?? false,
    runOwnersCode: flags.runOwnersCode ?? false,
    tables: flags.table,
  };
  const rollback = flags.views === true ? rollbackViews : rollbackBatch;
  const planned = await rollback(id, { ...options, dryRun: true });
  const shown = planned.tables.map((each) => [each.table, each.mode, count(each.rows), undoOf(each)]);
  if (flags.views !== true) {
    say(`batch ${id} published:`);
    say(...table(['table', 'how', 'rows', 'rollback'], shown, { right: [2], indent: '  ' }));
  }
  if (planned.views.length > 0) say(`  views under old names that go: ${planned.views.join(', ')}`);
  if (planned.made_views.length > 0)
    say(`  views made with them, which go: ${planned.made_views.join(', ')}`);
  const written = planned.tables.flatMap(writtenLines);
  for (const line of written) say(`  ${styled('yellow', '!')} ${line}`);
  if (flags.dryRun === true) {
    const refuses = written.length > 0 && flags.discardWrites !== true;
    if (flags.json === true) print(JSON.stringify({ ...planned, status: 'dry run', error: null }));
    else print(...(planned.statements ?? '').split('\n'));
    sayNext(
      refuses
        ? 'rollback would refuse, since rows were written since; nothing was changed'
        : `rollback would put ${planned.whole ? 'all of it' : flags.views === true ? 'the old names' : 'these tables'} back in the transaction above; nothing was changed`,
      refuses
        ? again({ drop: ['dryRun'], flags: { discardWrites: true } }, { lead: 'to lose those rows' })
        : again({ drop: ['dryRun'] }, { note: 'put it back' }),
    );
    return refuses ? EXIT.refused : EXIT.done;
  }
  if (flags.yes !== true && !(await ask('put it back?')))
    throw commandErrors.interrupted.rollbackNotConfirmed();
  const done = await rollback(id, options);
  say(
    `${styled('green', '✓')} ${done.whole ? `batch ${id} is` : flags.views === true ? `the views of batch ${id} are` : `${done.tables.map((each) => each.table).join(', ')} of batch ${id}:`} rolled back; live tables were locked for ${done.lock_ms?.toFixed(1)} ms`,
  );
  if (flags.json === true)
    print(
      JSON.stringify({ ...done, status: flags.views === true ? batchStays : 'rolled_back', error: null }),
    );
  return EXIT.done;
}

/** What --json says of a batch of which only the views went. */
const batchStays = 'completed';

/** What the rollback of one table does, for the table. */
function undoOf({ restored, removed, reinserted }: UndoneTable): string {
  if (restored === null)
    return `the table that it replaced comes back${reinserted === null ? '' : `, with its ${counted(reinserted, 'row')}`}`;
  return `${counted(restored, 'row')} put back, ${count(removed ?? 0)} taken away, ${count(reinserted ?? 0)} added again`;
}

async function fromFile(session: Session, file: string, flags: RollbackFlags): Promise<number> {
  const { readBackupHead } = await import('../given/backup-head.js');
  const { builtInNames, findPipeline } = await import('../given/pipelines.js');
  const { runWith } = await import('./run.js');
  const { pipelineErrors } = await import('../../core/errors/catalogue/pipelines.js');
  const name = flags.pipeline ?? (await readBackupHead(file)).pipeline;
  if (flags.pipeline === undefined && !builtInNames().includes(name))
    throw pipelineErrors.name_the_pipeline.ofBackup({ name });
  const { pipeline } = await findPipeline(name);
  if (pipeline.restore === undefined) throw pipelineErrors.no_restore({ pipeline: name });
  const restoring = pipeline.restore(file, { discardWrites: flags.discardWrites ?? false });
  return runWith(session, restoring, name, {
    input: [],
    set: [],
    swap: true,
    allowEmpty: true,
    // What was there before may be less.
    maxShrink: 100,
    guard: 'journal',
    ...(flags.yes === undefined ? {} : { yes: flags.yes }),
    ...(flags.dryRun === undefined ? {} : { dryRun: flags.dryRun }),
    ...(flags.json === undefined ? {} : { json: flags.json }),
  });
}
