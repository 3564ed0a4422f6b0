import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from 'commander';
import { EXAMPLES } from '../../../src/cli/examples.js';
import { commandTree } from '../../../src/cli/tree.js';

/** What the help of a command prints on a terminal of 80 columns. */
function helpOf(command: Command): string {
  let said = '';
  command.configureOutput({ writeOut: (text) => (said += text), getOutHelpWidth: () => 80 });
  command.outputHelp();
  return said;
}

const below = (command: Command): Command[] => [command, ...command.commands.flatMap(below)];

test('the help of every command fits 80 columns', () => {
  for (const command of below(commandTree()))
    for (const line of helpOf(command).split('\n'))
      assert.ok(line.length <= 80, `${command.name()}: ${line}`);
});

test('the help of every command that takes something has examples, and names only commands that there are', () => {
  const named = commandTree().commands.map((command) => command.name());
  assert.deepEqual(Object.keys(EXAMPLES).sort(), named.filter((name) => !WITHOUT.has(name)).sort());
});

/** It lists what it takes; the other is asked by shells. */
const WITHOUT = new Set(['completion', 'complete']);
