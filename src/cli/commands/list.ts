import type { Command } from 'commander';
import { print } from '../show/terminal.js';

/** `sluice list` */
export function declareList(root: Command): void {
  root
    .command('list')
    .description('the pipelines that come with Sluice')
    .option('--json', 'as JSON on stdout')
    .action(async (flags: { json?: boolean }) => {
      const { LISTED } = await import('../../../pipelines/listed.js');
      if (flags.json === true) return print(JSON.stringify(LISTED));
      const { table } = await import('../show/table.js');
      print(
        ...table(
          ['pipeline', 'what it does', 'tables'],
          LISTED.map((each) => [each.name, each.summary, each.tables.join(', ')]),
        ),
      );
    });
}
