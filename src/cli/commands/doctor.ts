import type { Command } from 'commander';
import { EXIT } from '../../core/errors/sluice-error.js';
import type { Examined } from '../../doctor/examined.js';
import { type DatabaseFlags, withDatabase } from '../given/flags.js';

/** `sluice doctor` */
export function declareDoctor(root: Command): void {
  withDatabase(root.command('doctor'))
    .description(
      'look at this machine, the server, rights, the ledger and what is kept, with a remedy for each fault; writes nothing',
    )
    .action(async (flags: DatabaseFlags) => {
      const { examineMachine } = await import('../../doctor/machine.js');
      const { withReading } = await import('../given/session.js');
      const here = await examineMachine();
      // Whoever cannot be connected to is said last: what is here is known by then.
      if (flags.json !== true) await show(here);
      process.exitCode = await withReading(flags.databaseUrl, async ({ database }) => {
        const { examineServer } = await import('../../doctor/server.js');
        const { examineLedger } = await import('../../doctor/ledger.js');
        const { asJson } = await import('../show/next.js');
        const { print, say, styled } = await import('../show/terminal.js');
        const server = await examineServer(database);
        if (flags.json !== true) await show(server);
        const ledger = await examineLedger(database);
        if (flags.json !== true) await show(ledger);
        const all = [...here, ...server, ...ledger];
        const ok = !all.some(({ findings }) => findings.some(({ severity }) => severity === 'error'));
        if (flags.json === true) print(asJson({ ok, examined: all }));
        else if (ok) say(`${styled('green', '✓')} nothing stands in the way of a run`);
        return ok ? EXIT.done : EXIT.refused;
      });
    });
}

async function show(examined: readonly Examined[]): Promise<void> {
  const { showFindings } = await import('../show/plan.js');
  const { say, styled } = await import('../show/terminal.js');
  for (const { name, is, findings } of examined) {
    say(`${styled('bold', name)}: ${is}`);
    showFindings(findings);
  }
}
