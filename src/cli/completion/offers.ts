import type { Command, Option } from 'commander';

/** What a word may become, and what that means. */
export interface Offer {
  readonly value: string;
  readonly description: string;
}

/** Arguments that are pipelines, by the names that commands give them. */
const PIPELINES: ReadonlySet<string> = new Set(['pipeline', 'pipelines']);

/**
 * What the last of `words` may become where the others stand before it; none where nothing but a file's name or a value of
 * the user's can stand there. bash tears words at '=': '--mode=merge' comes as three.
 */
export function offers(root: Command, words: readonly string[], pipelines: readonly Offer[]): Offer[] {
  const typed = [...words];
  let last = typed.pop() ?? '';
  if (last === '=') last = '';
  const { command, option, argument } = placeOf(
    root,
    typed.filter((word) => word !== '='),
  );
  const inline = /^(--[^=]+=)(.*)$/s.exec(last);
  if (inline !== null) {
    const [, flag = '', begun = ''] = inline;
    const named = optionOf(command, flag.slice(0, -1));
    return choicesOf(named)
      .filter(({ value }) => value.startsWith(begun))
      .map(({ value, description }) => ({ value: flag + value, description }));
  }
  const found =
    option !== undefined
      ? choicesOf(option)
      : last.startsWith('-')
        ? optionsOf(command)
        : command.commands.length > 0
          ? commandsOf(command)
          : argumentsOf(command, argument, pipelines);
  return found.filter(({ value }) => value.startsWith(last));
}

/** Where a further word stands: of which command, as the value of which option, or as which argument. */
function placeOf(root: Command, words: readonly string[]) {
  let command = root;
  let option: Option | undefined;
  let argument = 0;
  let onlyArguments = false;
  for (const word of words) {
    if (option !== undefined) {
      const values = option.variadic ? option : undefined;
      option = word.startsWith('-') ? undefined : values;
      if (option !== undefined || !word.startsWith('-')) continue;
    }
    if (!onlyArguments && word === '--') onlyArguments = true;
    else if (!onlyArguments && word.startsWith('-')) {
      const named = optionOf(command, word);
      if (named !== undefined && (named.required || named.optional)) option = named;
    } else {
      const next = command.commands.find((each) => each.name() === word || each.aliases().includes(word));
      if (next === undefined) argument++;
      else command = next;
    }
  }
  return { command, option, argument };
}

const optionOf = (command: Command, flag: string): Option | undefined =>
  command.options.find(({ long, short }) => long === flag || short === flag);

const choicesOf = (option: Option | undefined): Offer[] =>
  (option?.argChoices ?? []).map((value) => ({ value, description: '' }));

function optionsOf(command: Command): Offer[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map(({ long, short, description }) => ({ value: long ?? short ?? '', description }));
}

const commandsOf = (command: Command): Offer[] =>
  command
    .createHelp()
    .visibleCommands(command)
    .map((each) => ({ value: each.name(), description: each.description() }));

function argumentsOf(command: Command, at: number, pipelines: readonly Offer[]): Offer[] {
  const all = command.registeredArguments;
  const argument = all[at] ?? (all.at(-1)?.variadic === true ? all.at(-1) : undefined);
  if (argument === undefined) return [];
  if (PIPELINES.has(argument.name())) return [...pipelines];
  return (argument.argChoices ?? []).map((value) => ({ value, description: '' }));
}
