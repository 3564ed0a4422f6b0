import { type Command, InvalidArgumentError } from 'commander';
import { EXIT } from '../../core/errors/sluice-error.js';
import { type DatabaseFlags, queueOption, withDatabase } from '../given/flags.js';

interface WorkerFlags extends DatabaseFlags {
  readonly jobs: number;
  readonly once?: boolean;
  readonly queue?: string;
}

const EXPLAINED = `
Parts come from sluice run P --workers and sluice copy … --workers on any host.
A worker runs the pipelines that are named here, and no others: names, files,
or 'copy' for what copies load. Files must be at the same path on every host.`;

/** `sluice worker P…` */
export function declareWorker(root: Command): void {
  withDatabase(root.command('worker').argument('<pipelines...>', "names, .ts or .js files, or 'copy'"))
    .description('load parts that a run on another host hands out (--workers), until it is stopped')
    .option('--jobs <N>', 'parts that are loaded at once', wholeNumber, 1)
    .option('--once', 'end when there is nothing to load')
    .addOption(queueOption())
    .addHelpText('after', EXPLAINED)
    .action(async (named: readonly string[], flags: WorkerFlags) => {
      const { withQueue, withSession } = await import('../given/session.js');
      const { work } = await import('../elsewhere/worker.js');
      process.exitCode = await withSession(flags.databaseUrl, async (session) => {
        await withQueue(session, flags.queue, (queue) => work({ ...session, queue }, named, flags));
        return EXIT.done;
      });
    });
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError('a whole number from 1 up.');
  return Number(text);
}
