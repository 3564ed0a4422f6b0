import { type Command, InvalidArgumentError } from 'commander';
import { EXIT } from '../core/errors.js';
import { type DatabaseFlags, withDatabase } from './flags.js';

interface CleanupFlags extends DatabaseFlags {
  readonly olderThan: number;
  readonly execute?: boolean;
}

/** `sluice cleanup` */
export function declareCleanup(root: Command): void {
  withDatabase(root.command('cleanup'))
    .description('what is kept for rollbacks or was left by broken runs; lists, and drops with --execute')
    .option('--older-than <days>', 'kept tables that were replaced longer ago, such as 30d', days, 30)
    .option('--execute', 'drop what is listed; never CASCADE')
    .action(async (flags: CleanupFlags) => {
      const { withSession } = await import('./session.js');
      process.exitCode = await withSession(flags.databaseUrl, async ({ database }) => {
        const { dropLeftover, findLeftovers } = await import('../run/cleanup.js');
        const { requireLedger } = await import('../db/ledger/open.js');
        const { bytes, moment, print, say, table } = await import('./terminal.js');
        await requireLedger(database);
        const { resolveInterrupted } = await import('../run/resolve.js');
        if (flags.execute === true) await resolveInterrupted(database, { warn: say });
        const found = await findLeftovers(database, flags.olderThan);
        if (flags.json === true) print(JSON.stringify(found));
        else if (found.length > 0)
          print(
            table(
              ['what', 'batch', 'name', 'size', 'since'],
              found.map((each) => [each.kind, each.batch, each.name, bytes(each.bytes), moment(each.since)]),
              { right: [3] },
            ),
          );
        if (found.length === 0) say('nothing to clean up');
        else if (flags.execute !== true)
          say(
            'nothing was dropped; next: sluice cleanup --execute   (batches whose tables are dropped cannot be rolled back)',
          );
        else {
          for (const leftover of found) await dropLeftover(database, leftover);
          say(`dropped ${found.length}`);
        }
        return EXIT.done;
      });
    });
}

/** `30d` or `30` as a number of days. */
function days(text: string): number {
  const match = /^(\d+(?:\.\d+)?)d?$/.exec(text);
  if (match === null) throw new InvalidArgumentError('a number of days, such as 30d.');
  return Number(match[1]);
}
