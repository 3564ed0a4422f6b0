import type { Command } from 'commander';
import { print, table } from '../show/terminal.js';

/** `sluice list` */
export function declareList(root: Command): void {
  root
    .command('list')
    .description('the pipelines that come with Sluice')
    .option('--json', 'as JSON on stdout')
    .action(async (flags: { json?: boolean }) => {
      const { builtInNames, findPipeline } = await import('../given/pipelines.js');
      const found = await Promise.all(builtInNames().map(findPipeline));
      const rows = found.map(({ pipeline }) => ({
        name: pipeline.name,
        summary: pipeline.summary,
        inputs: Object.keys(pipeline.inputs),
        tables: Object.values(pipeline.tables).map((target) => `${target.table} (${target.mode})`),
        settings: Object.fromEntries(
          Object.entries(pipeline.settings ?? {}).map(([name, setting]) => [name, setting.default]),
        ),
      }));
      if (flags.json === true) return print(JSON.stringify(rows));
      print(
        ...table(
          ['pipeline', 'what it does', 'tables'],
          rows.map((row) => [row.name, row.summary, row.tables.join(', ')]),
        ),
      );
    });
}
