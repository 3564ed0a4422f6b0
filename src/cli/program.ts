import { Command, CommanderError } from 'commander';
import type { CommandData } from '../core/command.js';
import { errorAnswer } from '../core/errors/answer.js';
import { commandErrors } from '../core/errors/catalogue/command-line.js';
import { EXIT } from '../core/errors/sluice-error.js';
import { packageVersion } from '../core/package.js';
import { noSummary } from '../run/end/no-summary.js';
import { declareAssess } from './commands/assess.js';
import { declareBackup } from './commands/backup.js';
import { declareCheck } from './commands/check.js';
import { declareCleanup } from './commands/cleanup.js';
import { declareCopy } from './commands/copy.js';
import { declareDb } from './commands/db.js';
import { declareDemo } from './commands/demo.js';
import { declareInit } from './commands/init.js';
import { declareList } from './commands/list.js';
import { declareMappings } from './commands/mappings.js';
import { declarePlan } from './commands/plan.js';
import { declareRejects } from './commands/rejects.js';
import { declareReport } from './commands/report.js';
import { declareRollback } from './commands/rollback.js';
import { declareRun } from './commands/run.js';
import { declareStatus } from './commands/status.js';
import { declareSwap } from './commands/swap.js';
import { declareValidate } from './commands/validate.js';
import { noteGiven } from './given/command.js';
import { loadDotEnv } from './given/dotenv.js';
import { exitCode, expectAnswer, tell } from './show/failure.js';
import { asJson, givenNow, setCurrent } from './show/next.js';
import { lostOutput } from './show/output.js';
import { hush, print, shown, warn } from './show/terminal.js';

const EXIT_CODES = `
Exit codes: 0 done; 1 failed, nothing published; 2 wrong usage; 3 a check, validation or reject limit
refused, nothing published; 4 published, with rejects within the limit; 130 interrupted, nothing published.

Start here: sluice demo lot-consolidation`;

/** Where commander breaks the line of an error, which may hold line ends of what was typed. */
const SUGGESTION = /\n(?=\(Did you mean)/;

const plain = (line: string) => shown(line);

/** Every command below `root`. */
function allCommands(root: Command): Command[] {
  return root.commands.flatMap((command) => [command, ...allCommands(command)]);
}

/** The whole command line: all commands with their flags, unparsed. */
export function commandTree(): Command {
  const root = new Command('sluice')
    .description(
      'Streams rows out of old systems into PostgreSQL staging tables and swaps them into live, all at once.',
    )
    .version(packageVersion)
    .addHelpText('after', EXIT_CODES)
    .showSuggestionAfterError(true)
    .configureHelp({ showGlobalOptions: false })
    .configureOutput({
      outputError: (text, write) => write(`${text.trimEnd().split(SUGGESTION).map(plain).join('\n')}\n`),
    })
    .exitOverride();
  for (const declare of [
    declareList,
    declareAssess,
    declareBackup,
    declareCheck,
    declarePlan,
    declareRun,
    declareCopy,
    declareSwap,
    declareValidate,
    declareRollback,
    declareStatus,
    declareRejects,
    declareReport,
    declareMappings,
    declareCleanup,
    declareDemo,
    declareInit,
    declareDb,
  ])
    declare(root);
  for (const command of root.commands) command.exitOverride();
  return root;
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

/** Runs one command, told as `sluice` is told its arguments; its exit code. Says everything itself. */
export async function runCommand(args: readonly string[]): Promise<number> {
  loadDotEnv();
  try {
    const root = commandTree();
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

/** Commands whose product is what they write on stdout; they change no data. */
const TELLING: ReadonlySet<string> = new Set(
  'list assess check plan validate restore-check status rejects report'
    .split(' ')
    .concat('db status', 'db url'),
);

/**
 * The exit code of a command that ended with `code`, where stdout could not be written. It says what became of the data;
 * of a command that only tells something, that it was not told. A reader that has gone away has had what it wanted.
 */
function heard(code: number): number {
  const lost = lostOutput();
  if (lost === undefined || lost.code === 'EPIPE') return code;
  const given = givenNow();
  const telling =
    given === undefined ||
    TELLING.has(given.name) ||
    given.flags.dryRun === true ||
    (given.name === 'mappings' && given.args[1] !== 'import');
  const so = telling ? 'what is there is not all of it' : 'the exit code says what was done';
  warn(`sluice: stdout could not be written: ${lost.message}; ${so}`);
  return telling && code === EXIT.done ? EXIT.failed : code;
}
