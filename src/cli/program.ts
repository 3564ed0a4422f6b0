import { type Command, CommanderError } from 'commander';
import type { CommandData } from '../core/command.js';
import { errorAnswer } from '../core/errors/answer.js';
import { commandErrors } from '../core/errors/catalogue/command-line.js';
import { EXIT } from '../core/errors/sluice-error.js';
import { noSummary } from '../run/end/no-summary.js';
import { noteGiven } from './given/command.js';
import { loadDotEnv } from './given/dotenv.js';
import { exitCode, expectAnswer, tell } from './show/failure.js';
import { heard } from './show/heard.js';
import { asJson, setCurrent } from './show/next.js';
import { hush, print, speakBy } from './show/terminal.js';

/** Every command below `root`. */
function allCommands(root: Command): Command[] {
  return root.commands.flatMap((command) => [command, ...allCommands(command)]);
}

/** What commands are given, once they are parsed. */
function noted(root: Command): (command: Command) => CommandData | undefined {
  const given = new Map(allCommands(root).map((command) => [command, noteGiven(command)]));
  return (command) => given.get(command)?.();
}

/** What --json prints where the command line itself is wrong. */
function misused({ message }: CommanderError, command: string | undefined): object {
  const error = commandErrors.bad_option.parsed({ why: message.replace(/^error: /, '') });
  if (command !== undefined && RUNS.has(command)) return noSummary(null, error);
  const { kind, answer } = errorAnswer(error);
  return { status: kind, error: answer };
}

/** Commands that print the same keys however they end. */
const RUNS: ReadonlySet<string> = new Set(['run', 'load', 'copy', 'swap']);

/**
 * The commands that `args` need. Whoever asks for the list needs no other; what others say to do next may name any.
 */
async function treeFor(args: readonly string[]): Promise<Command> {
  if (args[0] !== 'list') return (await import('./tree.js')).commandTree();
  const { commandLineOf } = await import('./root.js');
  const { declareList } = await import('./commands/list.js');
  return commandLineOf([{ heading: 'Commands:', declares: [declareList] }]);
}

/** Whether `args` ask for records on stderr: --log-format json, or with an equals sign. */
function wantsRecords(args: readonly string[]): boolean {
  return args.some(
    (arg, at) => arg === '--log-format=json' || (arg === '--log-format' && args[at + 1] === 'json'),
  );
}

/** Runs one command, told as `sluice` is told its arguments; its exit code. Says everything itself. */
export async function runCommand(args: readonly string[]): Promise<number> {
  // Before anything is said, also of the command line itself.
  speakBy(wantsRecords(args) ? (await import('./show/log-record.js')).recordVoice() : undefined);
  loadDotEnv();
  try {
    const root = await treeFor(args);
    const given = noted(root);
    root.hook('preAction', (_, command) => {
      const now = given(command);
      setCurrent(now === undefined ? undefined : { given: now, root });
      hush(command.opts().quiet === true);
      expectAnswer(command.opts().json === true);
    });
    await root.parseAsync(args, { from: 'user' });
    return heard(Number(process.exitCode ?? EXIT.done));
  } catch (error) {
    // Commander has already said what was wrong; help and --version are no mistakes.
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return heard(EXIT.done);
      if (args.includes('--json')) print(asJson(misused(error, args[0])));
      return EXIT.usage;
    }
    tell(error);
    return exitCode(error);
  } finally {
    setCurrent(undefined);
  }
}
