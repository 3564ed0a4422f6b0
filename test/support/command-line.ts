import type { Command } from 'commander';
import { noteGiven } from '../../src/cli/given/command.js';
import { commandTree } from '../../src/cli/tree.js';
import type { CommandData } from '../../src/core/command.js';

const commandsWithin = (command: Command): Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(commandsWithin);

/**
 * What the command line understands of `args`, told as `sluice` is told its arguments; nothing is done. Throws
 * commander's errors for commands and flags that there are not.
 */
export function parseCommand(args: readonly string[]): CommandData {
  const root = commandTree();
  let parsed: CommandData | undefined;
  for (const command of commandsWithin(root)) {
    const given = noteGiven(command);
    command.configureOutput({ writeErr() {} });
    command.action(() => {
      parsed = given();
    });
  }
  root.parse(args, { from: 'user' });
  return parsed as CommandData;
}
