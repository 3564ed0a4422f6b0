import { type Change, commandLine, type Flags, type FlagValue } from '../core/command.js';
import { type Next, Suggestion, spoken } from '../core/next.js';

/** Commands that a program has as functions, of the same name but for `check`, which is a question's. */
const CALLS: ReadonlySet<string> = new Set(['check', 'run', 'load', 'swap', 'rollback']);

/** Flags that are options of the same name; of those in NUMBERS the value is a number. */
const SAME: ReadonlySet<string> = new Set(
  `maxRejects maxShrink allowEmpty allowSuppressed rewriteOids runOwnersCode stopOnError keepStaging always records
   guard jobs limit resume onlyRejectsOf rejectsInto reportsInto source discardWrites threads workers rows into`.split(
    /\s+/,
  ),
);

const NUMBERS: ReadonlySet<string> = new Set(['maxRejects', 'maxShrink', 'jobs', 'threads', 'limit']);

/** Flags that say which function is called. */
const FUNCTIONS: Readonly<Record<string, string>> = { dryRun: 'dryRun', rehearse: 'rehearse' };

/** Flags that a program has no need of: it is never asked, and a run of its writes. */
const NEEDLESS: ReadonlySet<string> = new Set(['yes', 'execute', 'json', 'quiet', 'databaseUrl']);

/** Flags that may be repeated with `name=value`, as options of objects. */
const PAIRS: Readonly<Record<string, string>> = { input: 'inputs', set: 'settings' };

/** `--no-…` flags as options. */
const NEGATED: Readonly<Record<string, string>> = { triggers: 'noTriggers', sourceData: 'noSourceData' };

/**
 * What to do next, for whoever has called a function of Sluice's: a command that a function stands for as a call of it
 * with its options, another one as it is typed. What a program cannot say is left out.
 */
export function stepsFor(next: Next | undefined): string[] {
  return [next ?? []].flat().flatMap((step) => {
    if (!(step instanceof Suggestion)) return step;
    const words = callOf(step);
    if (words !== undefined) return spoken(words, step.said);
    return step.said.otherwise ?? [];
  });
}

function callOf({ meant }: Suggestion): string | undefined {
  switch (meant.kind) {
    case 'again':
      return changedCall(meant.change);
    case 'rerun':
      return meant.own
        ? changedCall(meant.change)
        : call(meant.command.name, 'pipeline', meant.command.flags);
    case 'command': {
      const { name, args, flags } = meant.command;
      if (!CALLS.has(name))
        return `npx ${commandLine(meant.command)}${meant.to === undefined ? '' : ` > ${meant.to}`}`;
      const about = { check: 'pipeline', swap: `pipeline, ${JSON.stringify(args[0] ?? '')}` }[name];
      return call(name, about ?? JSON.stringify(args[0] ?? ''), { ...flags, pipeline: true });
    }
  }
}

/** `rehearse(pipeline, { maxRejects: 3, … })`; undefined for flags that no option stands for. */
function call(name: string, about: string, flags: Flags): string | undefined {
  const options = optionsOf(flags);
  if (options === undefined) return undefined;
  return `${functionOf(name, flags)}(${about}, { ${[...options, '…'].join(', ')} })`;
}

function functionOf(name: string, flags: Flags): string {
  const [other] = Object.keys(FUNCTIONS).filter((flag) => flags[flag] === true);
  if (other !== undefined) return other;
  if (name === 'check') return 'checkPipeline';
  return flags.swap === false ? 'load' : name;
}

/** `the same call with { maxRejects: 3 }`, `run in place of dryRun`. */
function changedCall({ name, args, drop = [], flags = {} }: Change): string | undefined {
  const options = optionsOf(flags);
  const known = drop.filter((flag) => !NEEDLESS.has(flag) && !(flag in FUNCTIONS) && flag !== 'swap');
  if (options === undefined || args !== undefined) return undefined;
  const isOther =
    Object.keys(FUNCTIONS).some((flag) => flags[flag] === true || drop.includes(flag)) ||
    (name !== undefined && CALLS.has(name)) ||
    flags.swap === false;
  const of = isOther ? `${functionOf(name ?? 'run', flags)} with the same options` : 'the same call';
  const set = options.length === 0 ? '' : `${isOther ? ' and' : ' with'} { ${options.join(', ')} }`;
  const left = known.length === 0 ? '' : `${set === '' ? '' : ','} without ${known.join(' and ')}`;
  return `${of}${set === '' && left === '' && !isOther ? ' again' : ''}${set}${left}`;
}

/** Flags as the options of a call; undefined where one is none. */
function optionsOf(flags: Flags): string[] | undefined {
  const options: string[] = [];
  for (const [flag, value] of Object.entries(flags)) {
    if (NEEDLESS.has(flag) || flag in FUNCTIONS || flag === 'swap' || flag === 'pipeline') continue;
    const pairs = PAIRS[flag];
    const negated = NEGATED[flag];
    if (SAME.has(flag)) options.push(`${flag}: ${written(flag, value)}`);
    else if (pairs !== undefined) options.push(`${pairs}: ${pairsOf(value)}`);
    else if (negated !== undefined && value === false) options.push(`${negated}: true`);
    else return undefined;
  }
  return options;
}

function written(flag: string, value: FlagValue): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  // A share of rows that may go is in percent anyway.
  const number = flag === 'maxShrink' ? value.replace(/%$/, '') : value;
  return NUMBERS.has(flag) && /^\d+(\.\d+)?$/.test(number) ? number : JSON.stringify(value);
}

function pairsOf(value: FlagValue): string {
  const made = [value].flat().map((each): [string, string] => {
    const text = String(each);
    const at = text.indexOf('=');
    return [text.slice(0, at), text.slice(at + 1)];
  });
  return `{ ${made.map(([name, text]) => `${JSON.stringify(name)}: ${JSON.stringify(text)}`).join(', ')} }`;
}
