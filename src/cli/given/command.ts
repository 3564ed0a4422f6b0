import { isAbsolute, relative, resolve } from 'node:path';
import type { Command, Option } from 'commander';
import type { CommandData, FlagValue } from '../../core/command.js';
import { isRemote, shownUrl } from '../../core/input-url.js';

/** Flags whose value is a path, or `name=path`. */
const PATHS: ReadonlySet<string> = new Set([
  'source',
  'schema',
  'logFile',
  'html',
  'backupFile',
  'input',
  'into',
  'rejectsInto',
  'reportsInto',
]);

/** Flags whose value may be the URL of an input, or `name=URL`. */
const URLS: ReadonlySet<string> = new Set(['source', 'input']);

/** Flags that name a database, by a URL that may hold a password. */
export const DATABASES = ['databaseUrl', 'queue'] as const;

/** What is this command's alone: where its output goes, what it has asked, and the password in a URL. */
const NOT_KEPT: ReadonlySet<string> = new Set([...DATABASES, 'json', 'quiet', 'logFormat', 'yes']);

/**
 * From now on notes what `command` is given, word by word as it was typed: what commander makes of values cannot be
 * typed again. The function that it gives says what was noted.
 */
export function noteGiven(command: Command): () => CommandData {
  const noted: Record<string, FlagValue> = {};
  for (const option of command.options)
    command.on(`option:${option.name()}`, (text: string | null | undefined) => {
      noted[flagOf(option)] = givenValue(option, text, noted[flagOf(option)]);
    });
  return () => ({ name: pathOf(command), args: [...command.args], flags: { ...noted } });
}

/** What a flag is called in `Flags`: `--no-swap` is about `swap`. */
export const flagOf = (option: Option): string => option.attributeName();

function givenValue(
  option: Option,
  text: string | null | undefined,
  before: FlagValue | undefined,
): FlagValue {
  if (typeof text !== 'string') return !option.negate;
  if (!isRepeated(option)) return text;
  return [...(Array.isArray(before) ? before : []), text];
}

/** An option that may be repeated has a list as its default. */
const isRepeated = (option: Option): boolean => Array.isArray(option.defaultValue);

function pathOf(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at?.parent != null; at = at.parent) names.unshift(at.name());
  return names.join(' ');
}

/** A command as the ledger keeps it, to be typed again another day: no password, and the folder it was typed in. */
export function kept(given: CommandData): CommandData {
  const { args, flags } = withoutSecrets(given);
  const keeps = Object.entries(flags).filter(([flag]) => !NOT_KEPT.has(flag));
  return { ...given, args, flags: Object.fromEntries(keeps), cwd: process.cwd() };
}

/** `command` with URLs of inputs as they may be shown. */
export function withoutSecrets(command: CommandData): CommandData {
  const shown = (text: string) => {
    const at = /^[^=:/]*=(?=https?:)/i.exec(text)?.[0].length ?? 0;
    return text.slice(0, at) + shownUrl(text.slice(at));
  };
  const flags = Object.entries(command.flags).map(([flag, value]): [string, FlagValue] => {
    if (!URLS.has(flag) || typeof value === 'boolean') return [flag, value];
    return [flag, typeof value === 'string' ? shown(value) : value.map(shown)];
  });
  return { ...command, args: command.args.map(shown), flags: Object.fromEntries(flags) };
}

/** `command` as it is typed in this folder: its paths meant the folder that it was first typed in. */
export function typedHere({ cwd, ...command }: CommandData): CommandData {
  if (cwd === undefined || cwd === process.cwd()) return command;
  const here = (path: string) => {
    if (path === '-' || isAbsolute(path) || isRemote(path)) return path;
    const absolute = resolve(cwd, path);
    const near = relative(process.cwd(), absolute);
    return near === '' || near.startsWith('..') ? absolute : near;
  };
  const inFlag = (flag: string, text: string) => {
    if (flag !== 'input') return here(text);
    const at = text.indexOf('=');
    return at < 0 ? text : `${text.slice(0, at + 1)}${here(text.slice(at + 1))}`;
  };
  // The table of a copy is called --into, too.
  const isPath = (flag: string) => PATHS.has(flag) && !(flag === 'into' && command.name === 'copy');
  const moved = Object.entries(command.flags).map(([flag, value]): [string, FlagValue] => {
    if (typeof value === 'boolean' || !isPath(flag)) return [flag, value];
    return [flag, typeof value === 'string' ? inFlag(flag, value) : value.map((each) => inFlag(flag, each))];
  });
  const files =
    command.name === 'copy' || command.args.some((arg) => arg.includes('/') || /\.[cm]?[jt]s$/.test(arg));
  return {
    ...command,
    args: files ? command.args.map(here) : command.args,
    flags: Object.fromEntries(moved),
  };
}
