import type { Command } from 'commander';
import { EXIT } from '../../core/errors/sluice-error.js';
import { type DatabaseFlags, withDatabase } from '../given/flags.js';

/** `sluice init` */
export function declareInit(root: Command): void {
  withDatabase(root.command('init'))
    .description(
      'make the ledger (schema "sluice") in the database; a run does it by itself where its role may',
    )
    .action(async (flags: DatabaseFlags) => {
      const { withSession } = await import('../given/session.js');
      process.exitCode = await withSession(flags.databaseUrl, async ({ database }) => {
        const { ledgerVersion, openLedger } = await import('../../db/ledger/open.js');
        const { print, say } = await import('../show/terminal.js');
        const before = await ledgerVersion(database);
        await openLedger(database);
        const version = await ledgerVersion(database);
        if (flags.json === true) print(JSON.stringify({ ledger: version, made: before !== version }));
        else
          say(
            before === version
              ? `the ledger is there, version ${version}`
              : `the ledger is made, version ${version}; a role that is to run pipelines needs: GRANT USAGE ON SCHEMA sluice, and SELECT, INSERT, UPDATE on its tables`,
          );
        return EXIT.done;
      });
    });
}
