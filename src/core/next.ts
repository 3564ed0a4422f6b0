import { type Change, type CommandData, commandLine, type Flags, flagWords, shellWord } from './command.js';

/** What to do next: advice in words, or a command, which the command line completes with what it was given. */
export type NextStep = string | Suggestion;

/** One step or several, as errors and findings have them. */
export type Next = NextStep | readonly NextStep[];

/** What is said beside a suggested command. */
export interface Said {
  /** In front of it: `correct the rows, then`. */
  readonly lead?: string;
  /** Behind it, in brackets. */
  readonly note?: string;
  /** In its place, where the command that was given cannot be told that. */
  readonly otherwise?: string;
}

/** Which command is meant. */
export type Meant =
  /** Another command, about a batch, say, on the same database; `to` is a file that its output goes to. */
  | { readonly kind: 'command'; readonly command: CommandData; readonly to?: string }
  /** The command that was given, changed. */
  | { readonly kind: 'again'; readonly change: Change }
  /**
   * The command that began a batch, changed, on the database given now; `own`: the command that was given is it, and
   * says more of it.
   */
  | { readonly kind: 'rerun'; readonly command: CommandData; readonly own: boolean; readonly change: Change };

/**
 * A command to type next, as data. What makes errors does not know what the user has typed: the command line adds
 * that (the database, the inputs, the limits) and leaves away what cannot be typed. As text it is the command alone.
 */
export class Suggestion {
  constructor(
    readonly meant: Meant,
    readonly said: Said = {},
  ) {}

  /** The same with these words beside it. */
  saying(said: Said): Suggestion {
    return new Suggestion(this.meant, { ...this.said, ...said });
  }

  /** For who has no command line: without what only that knows. */
  toString(): string {
    return spoken(
      this.meant.kind === 'again' ? changeWords(this.meant.change) : lineOf(this.meant),
      this.said,
    );
  }

  toJSON(): string {
    return this.toString();
  }
}

/** Another command on the same database: `command('status', [batch])`. Flags by their names in camel case. */
export function command(
  name: string,
  args: readonly string[] = [],
  flags: Flags = {},
  { to, ...said }: Said & { readonly to?: string } = {},
): Suggestion {
  return new Suggestion(
    { kind: 'command', command: { name, args, flags }, ...(to === undefined ? {} : { to }) },
    said,
  );
}

/**
 * The command that was given, once more: with everything that it was given, but for what `change` leaves away and
 * sets. `again({ flags: { maxRejects: '3' } })`, or `again({}, { lead: 'free space there, then' })`.
 */
export function again(change: Change = {}, said: Said = {}): Suggestion {
  return new Suggestion({ kind: 'again', change }, said);
}

/** What a copy can do with rows whose key live has already; a pipeline has no such flag. */
export const MERGE_INSTEAD = again(
  { flags: { mode: 'merge' } },
  { lead: 'or update the rows that are there, and add the others' },
);

/** The command as it is typed, where that needs nothing that the command line has been given. */
function lineOf(meant: Exclude<Meant, { kind: 'again' }>): string {
  if (meant.kind === 'command') return redirected(commandLine(meant.command), meant.to);
  return commandLine(meant.command);
}

/** `line` with its output in a file. */
export function redirected(line: string, to: string | undefined): string {
  return to === undefined ? line : `${line} > ${to}`;
}

/** A command's line with what is said beside it. */
export function spoken(line: string, { lead, note }: Said): string {
  const before = lead === undefined ? '' : `${lead}${/[?.!]$/.test(lead) ? '' : ':'} `;
  return `${before}${line}${note === undefined ? '' : `   (${note})`}`;
}

/** The steps, each once. */
export function distinct(steps: readonly NextStep[]): NextStep[] {
  return [...new Map(steps.map((step) => [JSON.stringify(step), step])).values()];
}

/** `the same command with --max-rejects 3`. */
function changeWords({ args, drop = [], flags = {} }: Change): string {
  const left = flagWords(Object.fromEntries(drop.map((flag) => [flag, true])));
  const set = [...(args ?? []).map(shellWord), ...flagWords(flags)];
  const with_ = set.length === 0 ? '' : ` with ${set.join(' ')}`;
  const without = left.length === 0 ? '' : `${set.length === 0 ? '' : ' and'} without ${left.join(' ')}`;
  return `the same command${set.length + left.length === 0 ? ' again' : ''}${with_}${without}`;
}
