/** A flag's value: true for `--name`, false for `--no-name`, text, or texts for one that may be repeated. */
export type FlagValue = boolean | string | readonly string[];

/** Flags by their names in camel case: `{ dryRun: true }` is --dry-run, `{ swap: false }` is --no-swap. */
export type Flags = Readonly<Record<string, FlagValue>>;

/** A command of the command line as plain data: what the ledger keeps, and what suggestions are made of. */
export interface CommandData {
  /** `run`, or `db start`. */
  readonly name: string;
  /** What it is about: a pipeline, files, a batch. */
  readonly args: readonly string[];
  readonly flags: Flags;
  /** The absolute path of the folder that it was typed in, where paths in it may be relative to that. */
  readonly cwd?: string;
}

/** What a command is changed by. */
export interface Change {
  /** Another command: its own flags are what is kept. */
  readonly name?: string;
  /** Something else that it is about. */
  readonly args?: readonly string[];
  /** Flags that are left away. */
  readonly drop?: readonly string[];
  /** Flags that are set; of one that may be repeated these are added. */
  readonly flags?: Flags;
}

/** `command` changed: left away is what `drop` names, then set what `flags` says. */
export function changed(
  command: CommandData,
  { name = command.name, args = command.args, drop = [], flags = {} }: Change,
): CommandData {
  const kept: Record<string, FlagValue> = Object.fromEntries(
    Object.entries(command.flags).filter(([flag]) => !drop.includes(flag)),
  );
  for (const [flag, value] of Object.entries(flags)) {
    const before = kept[flag];
    kept[flag] = isList(before) ? added(before, [value].flat().map(String)) : value;
  }
  return { ...command, name, args, flags: kept };
}

/** Of `name=value` only the last one of a name counts. */
function added(before: readonly string[], more: readonly string[]): string[] {
  const nameOf = (text: string) => text.slice(0, text.indexOf('=') + 1);
  const names = new Set(more.map(nameOf).filter((name) => name !== ''));
  return [...before.filter((text) => !names.has(nameOf(text))), ...more];
}

const isList = (value: FlagValue | undefined): value is readonly string[] => Array.isArray(value);

/** The command as it is typed into a POSIX shell, values quoted whatever they hold. */
export function commandLine(command: CommandData): string {
  return `sluice ${commandWords(command)}`;
}

/** The same without the program's name. */
export function commandWords({ name, args, flags }: CommandData): string {
  // What begins with a dash would be taken for a flag.
  const dashed = args.some((arg) => arg.startsWith('-') && arg !== '-');
  return [
    name,
    ...(dashed ? [] : args.map(shellWord)),
    ...flagWords(flags),
    ...(dashed ? ['--', ...args.map(shellWord)] : []),
  ].join(' ');
}

/** How a flag is typed: `--dry-run` for `dryRun`; `no`: `--no-swap` for `swap`. */
export const nameOfFlag = (flag: string, no = false): string =>
  `--${no ? 'no-' : ''}${flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Flags as words of a command line, each with its value. */
export function flagWords(flags: Flags): string[] {
  return Object.entries(flags).flatMap(([flag, value]) => {
    const name = nameOfFlag(flag, value === false);
    if (typeof value === 'boolean') return [name];
    return [value]
      .flat()
      .map((text) =>
        text.startsWith('-') && text !== '-' ? shellWord(`${name}=${text}`) : `${name} ${shellWord(text)}`,
      );
  });
}

/** What would break a line, or write over it: also the marks that change the direction of what follows. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/**
 * `text` as a shell reads it as one word: as it is where nothing in it means anything to a shell, else in single
 * quotes; with characters that cannot be seen, in the quotes `$'…'` that name them (bash, zsh, ksh; POSIX since 2024).
 */
export function shellWord(text: string): string {
  if (/^[\w./:@%+,-][\w./:=@%+,-]*$/.test(text)) return text;
  if (!UNSEEN.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  const escaped = [...text].map((character) => {
    if (character === "'" || character === '\\') return `\\${character}`;
    if (!UNSEEN.test(character)) return character;
    const known = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character];
    if (known !== undefined) return known;
    const code = character.codePointAt(0) as number;
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
    return code > 0xffff
      ? `\\U${code.toString(16).padStart(8, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
  return `$'${escaped.join('')}'`;
}
