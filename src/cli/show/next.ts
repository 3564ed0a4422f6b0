import type { Command } from 'commander';
import {
  type Change,
  type CommandData,
  changed,
  commandLine,
  type Flags,
  nameOfFlag,
} from '../../core/command.js';
import { type Next, redirected, type Said, Suggestion, spoken } from '../../core/next.js';
import { withoutPasswords } from '../../db/libpq/parse.js';
import { DATABASES, flagOf, typedHere, withoutSecrets } from '../given/command.js';
import { say, styled } from './terminal.js';

/** The command under way: what it was given, and all commands that there are. */
interface Current {
  readonly given: CommandData;
  readonly root: Command;
}

let current: Current | undefined;

/** Which command is under way; undefined where the process has none. */
export function setCurrent(now: Current | undefined): void {
  current = now;
}

/** What the command under way was given; undefined where the process has none. */
export function givenNow(): CommandData | undefined {
  return current?.given;
}

/** Who reads a suggestion: whoever sits at the terminal, where the stream is one, or whoever finds the record of it. */
export type Reader = { readonly isTTY?: boolean } | 'record';

/** A step as it is shown. */
export interface Shown {
  readonly text: string;
  readonly said: Said;
  /** Flags with URLs of databases whose passwords are left out of the text. */
  readonly withoutPasswords?: readonly string[];
  /** Whether a login, or a parameter that is secret, is left out of the URL of an input. */
  readonly withoutLogin?: boolean;
}

/**
 * The steps that can be typed, as text. A command is completed with what the command under way was given (the same
 * database, inputs, settings, limits and guard), but for what the step changes. One with a flag that its command
 * does not have is left out.
 */
export function nextLines(next: Next | undefined, reader: Reader = process.stderr): string[] {
  return nextShown(next, reader).map(asLine);
}

/** A step with what is said beside it. */
export const asLine = ({ text, said }: Shown): string => spoken(text, said);

/** The same, with what is said beside each command apart. */
export function nextShown(next: Next | undefined, reader: Reader = process.stderr): Shown[] {
  return [next ?? []].flat().flatMap((step) => {
    // Another program's line may ask ours: psql "$(…)".
    if (!(step instanceof Suggestion))
      return {
        text: step.replaceAll(/\$\((sluice )/g, (_, own: string) => `$(${found(own, reader)}`),
        said: {},
      };
    if (current === undefined) return { text: step.saying({}).toString(), said: {} };
    const typed = typedOf(step, current);
    if (typed === undefined) {
      const { otherwise } = step.said;
      return otherwise === undefined ? [] : { text: otherwise, said: {} };
    }
    const databases = databaseFlags(current, typed.name, reader);
    const whole = { ...typed, flags: { ...typed.flags, ...databases } };
    const line = found(commandLine(withoutSecrets(whole)), reader);
    const note = [step.said.note, ...(readsStdin(typed) ? [ON_STDIN] : [])].filter(Boolean).join('; ');
    return {
      text: redirected(line, step.meant.kind === 'command' ? step.meant.to : undefined),
      said: note === '' ? step.said : { ...step.said, note },
      withoutLogin: line !== found(commandLine(whole), reader),
      withoutPasswords: Object.keys(databases).filter(
        (flag) => databases[flag] !== current?.given.flags[flag],
      ),
    };
  });
}

/** A command that npm has found (npx, a script) is installed for a project, and nobody's shell finds it. */
const found = (line: string, reader: Reader) =>
  reader === 'record' || process.env.npm_command === undefined ? line : `npx ${line}`;

/** Says, on stderr, what is so, and below it what to do next. */
export function sayNext(text: string | undefined, next: Next): void {
  if (text !== undefined) say(text);
  const steps = nextShown(next);
  for (const step of steps) say(`  ${styled('dim', 'next:')} ${asLine(step)}`);
  const note = leftOut(steps);
  if (note !== undefined) say(styled('dim', `  (${note})`));
}

const ON_STDIN = 'the same data on stdin';

/** `value` as --json prints it: the steps in it as they would be shown, and those that cannot be typed left out. */
export function asJson(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key: string, made: unknown) {
    const step = this[key];
    if (step instanceof Suggestion) return nextLines(step, 'record')[0];
    if (Array.isArray(step) && step.some((each) => each instanceof Suggestion))
      return nextLines(step, 'record');
    return typeof made === 'bigint' ? String(made) : made;
  });
}

/** A line to be shown below `steps` where a database's password, or what is secret in a URL, is left out of them. */
export function leftOut(steps: readonly Shown[]): string | undefined {
  const notes = [
    ...DATABASES.filter((flag) =>
      steps.some(({ withoutPasswords = [] }) => withoutPasswords.includes(flag)),
    ).map((flag) => `the password of ${nameOfFlag(flag)} is left out: PGPASSWORD or ~/.pgpass can give it`),
    ...(steps.some(({ withoutLogin }) => withoutLogin)
      ? [
          'what is secret in a URL is left out: name the whole URL again; ~/.netrc or SLUICE_HTTP_HEADERS can give a login',
        ]
      : []),
  ];
  return notes.length === 0 ? undefined : notes.join('; ');
}

/** The command that a step means; undefined where there is none that could be typed. */
function typedOf({ meant }: Suggestion, now: Current): CommandData | undefined {
  switch (meant.kind) {
    case 'command':
      return has(now.root, meant.command.name, meant.command.flags) ? meant.command : undefined;
    case 'again':
      return consenting(onto(now, meant.change), now);
    case 'rerun':
      return consenting((meant.own ? onto(now, meant.change) : undefined) ?? typedHere(meant.command), now);
  }
}

/** Commands that read a pipeline: what one was given, another takes as far as it knows it. */
const OF_A_PIPELINE: ReadonlySet<string> = new Set(['run', 'load', 'check', 'plan', 'assess', 'backup']);

/** Commands that ask what a run would ask first. */
const ASKING: ReadonlySet<string> = new Set(['check', 'plan']);

/** The command that was given, changed. */
function onto({ given, root }: Current, change: Change): CommandData | undefined {
  const { name = given.name } = change;
  if (name !== given.name && !(OF_A_PIPELINE.has(name) && OF_A_PIPELINE.has(given.name))) return undefined;
  if (!has(root, name, change.flags ?? {})) {
    // What `check` and `plan` cannot be told, a dry run can, and it asks the same.
    const tried: Change = { ...change, name: 'run', flags: { ...change.flags, dryRun: true } };
    return ASKING.has(name) ? onto({ given, root }, tried) : undefined;
  }
  const known = optionsOf(root, name);
  const flags = Object.fromEntries(Object.entries(given.flags).filter(([flag]) => known.has(flag)));
  return changed({ ...given, flags }, change);
}

/** Where stdin is the data, nobody can be asked. */
function consenting(command: CommandData | undefined, { root }: Current): CommandData | undefined {
  if (command === undefined) return undefined;
  const asks = optionsOf(root, command.name).has('yes') && command.flags.dryRun !== true;
  return asks && readsStdin(command) ? { ...command, flags: { ...command.flags, yes: true } } : command;
}

function has(root: Command, name: string, flags: Flags): boolean {
  const known = optionsOf(root, name);
  return Object.keys(flags).every((flag) => known.has(flag));
}

/** The flags of the command `name`, as `Flags` calls them. */
function optionsOf(root: Command, name: string): ReadonlySet<string> {
  let at = root;
  // A copy that a program has begun is known by its words alone.
  for (const part of name.split(' ')) at = at.commands.find((each) => each.name() === part) ?? at;
  return new Set(at.options.map(flagOf));
}

function readsStdin({ name, args, flags }: CommandData): boolean {
  const inputs = [flags.input ?? []].flat().map((input) => String(input));
  return (
    (name === 'copy' && args.includes('-')) ||
    flags.source === '-' ||
    inputs.some((input) => input.endsWith('=-'))
  );
}

/** The databases that were named on the command line, as far as `name` takes them. */
function databaseFlags({ given, root }: Current, name: string, reader: Reader): Record<string, string> {
  const known = optionsOf(root, name);
  return Object.fromEntries(
    DATABASES.flatMap((flag) => {
      const url = given.flags[flag];
      if (typeof url !== 'string' || !known.has(flag)) return [];
      return [[flag, isSecretFor(reader) ? withoutPasswords(url) : url]];
    }),
  );
}

/** A terminal shows a password only to whoever has just typed it there; a file or a log keeps it for others. */
const isSecretFor = (reader: Reader): boolean => reader === 'record' || reader.isTTY !== true;
