import { type Command, InvalidArgumentError } from 'commander';
import { EXIT } from '../../core/errors/sluice-error.js';
import { again } from '../../core/next.js';
import { noun } from '../../core/plural.js';
import type { PgDatabase } from '../../db/connect.js';
import type { Session } from '../../program/database.js';
import { KEPT_DAYS } from '../../run/given/cleanup-command.js';
import { type DatabaseFlags, withDatabase } from '../given/flags.js';

interface CleanupFlags extends DatabaseFlags {
  readonly olderThan: number;
  readonly execute?: boolean;
}

/** `sluice cleanup` */
export function declareCleanup(root: Command): void {
  withDatabase(root.command('cleanup'))
    .description('what is kept for rollbacks or was left by broken runs; lists, and drops with --execute')
    .option('--older-than <days>', 'kept tables that were replaced longer ago, such as 30d', days, KEPT_DAYS)
    .option('--execute', 'drop what is listed; never CASCADE')
    .action(async (flags: CleanupFlags) => {
      const { withSession } = await import('../given/session.js');
      let state = 'nothing was dropped';
      const work = async ({ database }: Session) => {
        const { dropLeftover, findLeftovers } = await import('../../run/maintain/cleanup.js');
        const { requireLedger } = await import('../../db/ledger/open.js');
        const { sayNext } = await import('../show/next.js');
        const { table } = await import('../show/table.js');
        const { bytes, moment, print, say } = await import('../show/terminal.js');
        await requireLedger(database);
        const { resolveInterrupted } = await import('../../run/maintain/recover.js');
        if (flags.execute === true) await resolveInterrupted(database, { warn: (text) => say(text) });
        const found = await findLeftovers(database, flags.olderThan);
        if (flags.json === true) print(JSON.stringify(found));
        else if (found.length > 0)
          print(
            ...table(
              ['what', 'batch', 'name', 'size', 'since'],
              found.map((each) => [each.kind, each.batch, each.name, bytes(each.bytes), moment(each.since)]),
              { right: [3] },
            ),
          );
        if (found.length === 0) await sayNothing(database, flags.olderThan);
        else if (flags.execute !== true)
          sayNext(
            'nothing was dropped',
            again(
              { flags: { execute: true } },
              { note: 'batches whose tables are dropped cannot be rolled back' },
            ),
          );
        else {
          for (const [dropped, leftover] of found.entries()) {
            state = `${dropped} of ${found.length} ${noun(found.length, 'is', 'are')} dropped; the next run finds the others`;
            await dropLeftover(database, leftover);
          }
          say(`dropped ${found.length}`);
        }
        return EXIT.done;
      };
      process.exitCode = await withSession(flags.databaseUrl, work, { lostState: () => state });
    });
}

/** That there is nothing, and where something is kept that is younger, how to see that. */
async function sayNothing(database: PgDatabase, olderThan: number): Promise<void> {
  const { keptInAll } = await import('../../run/maintain/cleanup.js');
  const { sayNext } = await import('../show/next.js');
  const { bytes, counted, say } = await import('../show/terminal.js');
  const kept = await keptInAll(database);
  if (kept.tables === 0) return say('nothing to clean up');
  sayNext(
    `nothing to clean up: what is kept for rollbacks (${counted(kept.tables, 'table')}, ${bytes(kept.bytes)}) is younger than ${olderThan} days`,
    again({ flags: { olderThan: '0d' } }, { note: 'lists it' }),
  );
}

/** `30d` or `30` as a number of days. */
function days(text: string): number {
  const match = /^(\d+(?:\.\d+)?)d?$/.exec(text);
  if (match === null) throw new InvalidArgumentError('a number of days, such as 30d.');
  return Number(match[1]);
}
