import type { Command } from 'commander';
import { EXIT } from '../../core/errors/sluice-error.js';
import { command } from '../../core/next.js';
import { plural } from '../../core/plural.js';
import { type DatabaseFlags, type PipelineFlags, pairs, withDatabase, withInputs } from '../given/flags.js';
import { sayNext } from '../show/next.js';

interface BackupFlags extends PipelineFlags {
  readonly into?: string;
}

/** `sluice backup P`, `sluice restore-check DIR` and `sluice restore DIR` */
export function declareBackup(root: Command): void {
  withInputs(root.command('backup').argument('<pipeline>', 'its name, or the path of a .ts or .js file'))
    .description('copy what a pipeline reads and changes into a dated folder: files, tables as CSV, schema')
    .option('--into <dir>', 'where the folder is made (default: .sluice/backups)')
    .action(backup);
  withDatabase(root.command('restore-check').argument('<dir>', 'a folder that `backup` has made'))
    .description('read a backup as a restore would: hashes, row counts, the database itself')
    .action(restoreCheck);
  withDatabase(root.command('restore').argument('<dir>', 'a folder that `backup` has made'))
    .description('put the tables of a backup back: missing ones are made, the others must be empty')
    .action(restore);
}

async function backup(wanted: string, flags: BackupFlags): Promise<void> {
  const { findPipeline } = await import('../given/pipelines.js');
  const { withSession } = await import('../given/session.js');
  const { pipeline } = await findPipeline(wanted);
  process.exitCode = await withSession(flags.databaseUrl, async ({ database, signal }) => {
    const { BACKUPS, backUp } = await import('../../backup/backup.js');
    const { settled, withGiven } = await import('../../run/given/settings.js');
    const { withQuietRun } = await import('../../run/inputs/quiet-run.js');
    const { givenInputs } = await import('../given/inputs.js');
    const { batchLog } = await import('../show/log.js');
    const { print, say } = await import('../show/terminal.js');
    const log = batchLog();
    log.discard();
    const inputs = withGiven(pipeline, await givenInputs(pipeline, flags));
    const settings = settled(pipeline, pairs('--set', flags.set));
    const made = await withQuietRun({ database, signal, log, settings }, (run) =>
      backUp(pipeline, inputs, run, flags.into ?? BACKUPS),
    );
    const { backupLines } = await import('../show/backup.js');
    for (const line of backupLines(made)) say(line);
    if (flags.json === true) print(JSON.stringify(made));
    else print(made.directory);
    sayNext(undefined, command('restore-check', [made.directory]));
    return EXIT.done;
  });
}

async function restoreCheck(directory: string, flags: DatabaseFlags): Promise<void> {
  const { checkRestore } = await import('../../backup/restore-check.js');
  const { offline } = await import('../given/offline.js');
  const { print, say, styled } = await import('../show/terminal.js');
  process.exitCode = await offline(async (run) => {
    const checked = await checkRestore(directory, run);
    for (const { file, what, wrong } of checked.looked) {
      say(`  ${wrong.length === 0 ? styled('green', '✓') : styled('red', '✗')} ${file}: ${what}`);
      for (const each of wrong) say(`      ${each}`);
    }
    for (const stranger of checked.strangers)
      say(`  ${styled('yellow', '!')} ${stranger}: not of this backup`);
    if (flags.json === true) print(JSON.stringify(checked));
    if (checked.ok) {
      say(`${styled('green', '✓')} ${directory}: whole, as it was made at ${checked.manifest.made_at}`);
      return EXIT.done;
    }
    const bad = checked.looked.filter(({ wrong }) => wrong.length > 0).length;
    say(`${styled('red', '✗')} ${directory} is damaged: ${bad} of ${plural(checked.looked.length, 'file')}`);
    sayNext(
      '  state: nothing was changed',
      command('backup', [checked.manifest.pipeline], {}, { lead: 'do not rely on it; make another' }),
    );
    return EXIT.refused;
  });
}

async function restore(directory: string, flags: DatabaseFlags): Promise<void> {
  const { withSession } = await import('../given/session.js');
  process.exitCode = await withSession(flags.databaseUrl, async ({ database, signal }) => {
    const { restoreBackup } = await import('../../backup/restore.js');
    const { withQuietRun } = await import('../../run/inputs/quiet-run.js');
    const { batchLog } = await import('../show/log.js');
    const { table } = await import('../show/table.js');
    const { count, print, say, styled } = await import('../show/terminal.js');
    const log = batchLog();
    log.discard();
    const restored = await withQuietRun({ database, signal, log }, (run) => restoreBackup(directory, run));
    say(`${styled('green', '✓')} ${directory}: ${plural(restored.tables.length, 'table')} put back`);
    const rows = restored.tables.map((each) => [each.table, count(each.rows), each.made ? 'made' : '']);
    for (const line of table(['table', 'rows', ''], rows, { right: [1], indent: '  ' })) say(line);
    for (const note of restored.notes) say(`  ${styled('yellow', '!')} ${note}`);
    if (flags.json === true) print(JSON.stringify(restored));
    return EXIT.done;
  });
}
