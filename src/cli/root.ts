import { Command } from 'commander';
import { EXIT } from '../core/errors/sluice-error.js';
import { packageVersion } from '../core/package.js';
import { EXAMPLES } from './examples.js';
import { recordsOnly, shown } from './show/terminal.js';

const EXIT_CODES = `
Exit codes:
  0    done
  1    failed, nothing published
  2    wrong usage
  3    a check, validation or reject limit refused, nothing published
  4    published, with rejects within the limit
  130  interrupted, nothing published

Start here: sluice demo lot-consolidation`;

/** Where commander breaks the line of an error, which may hold line ends of what was typed. */
const SUGGESTION = /\n(?=\(Did you mean)/;

/** What a record says of a command line that is wrong. */
const MISUSE = { 'error.type': 'bad_option', 'process.exit.code': EXIT.usage };

const plain = (line: string) => shown(line);

/** Commands that stand together in the help. */
export interface CommandGroup {
  readonly heading: string;
  /** Each adds one or more of them. */
  readonly declares: readonly ((root: Command) => void)[];
}

/** The command line with the commands of `groups`, unparsed. */
export function commandLineOf(groups: readonly CommandGroup[]): Command {
  const root = new Command('sluice')
    .description(
      'Streams rows out of old systems into PostgreSQL staging tables and swaps them into live, all at once.',
    )
    .version(packageVersion)
    .addHelpText('after', EXIT_CODES)
    .showSuggestionAfterError(true)
    // With their arguments the names would leave no room for what they do on 80 columns.
    .configureHelp({ showGlobalOptions: false, subcommandTerm: (command) => command.name() })
    .configureOutput({
      outputError: (text, write) => {
        const records = recordsOnly();
        if (records === undefined) write(`${text.trimEnd().split(SUGGESTION).map(plain).join('\n')}\n`);
        else records.say('error', text.trim().replace(/^error: /, ''), MISUSE);
      },
    })
    .exitOverride();
  for (const { heading, declares } of groups) {
    root.commandsGroup(heading);
    for (const declare of declares) declare(root);
  }
  for (const command of root.commands) {
    command.exitOverride();
    const examples = EXAMPLES[command.name()];
    if (examples !== undefined)
      command.addHelpText('after', ['\nExamples:', ...examples.map((each) => `  ${each}`)].join('\n'));
  }
  return root;
}
