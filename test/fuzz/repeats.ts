import { SluiceError } from '../../src/core/errors/sluice-error.js';
import { FieldError, RowError } from '../../transforms/index.js';
import type { Random } from './inputs.js';
import type { Probe } from './probes.js';

/** A text with something in it that is repeated: what an expression or a loop that looks back takes long over. */
export interface Repeat {
  readonly before: string;
  readonly unit: string;
  readonly behind: string;
}

/**
 * So many characters make of quadratic work many seconds, of cubic work days, and of linear work milliseconds: whoever needs
 * longer than `MOST_MS` of a processor is not linear, however busy the machine is.
 */
const CHARACTERS = 100_000;
const MOST_MS = 3000;

/** Characters that mean something somewhere. */
const CHARS = [...' \t\n\r\v\u00a0\x019aeEx×é😀\u0301.,;:-+_/\\"\'()[]{}=$%#@|'];

/** Runs that some reader or other was slow with, or nearly; each is tried on everything. */
export const KNOWN: readonly Repeat[] = [
  ...CHARS.flatMap((unit) => [
    { before: '', unit, behind: '' },
    { before: '', unit, behind: '!' },
    { before: 'a: ', unit, behind: 'x\u0001' },
  ]),
  { before: '', unit: '$ ', behind: '1' },
  { before: '', unit: 'kg', behind: '' },
  { before: '1', unit: ',000', behind: 'x' },
  { before: '{"a":', unit: '[', behind: '' },
  { before: '', unit: '"a":1,', behind: '' },
  { before: '', unit: '()=(', behind: '\n' },
  { before: '', unit: 'file://', behind: '' },
  { before: '', unit: 'a b ', behind: '' },
  { before: '', unit: '""', behind: '"' },
];

const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;

/** A random one. */
function randomRepeat(random: Random): Repeat {
  const some = (most: number) =>
    Array.from({ length: Math.floor(random() * (most + 1)) }, () => pick(random, CHARS)).join('');
  return { before: some(4), unit: `${some(3)}${pick(random, CHARS)}`, behind: some(3) };
}

const textOf = ({ before, unit, behind }: Repeat, characters: number): string =>
  before + unit.repeat(Math.ceil(characters / unit.length)) + behind;

/** What is wrong with how `probe` takes the text: it is slow, or fails in a way of its own; undefined where nothing is. */
export function faultOf(
  probe: Probe,
  repeat: Repeat,
  { characters, most } = { characters: CHARACTERS, most: MOST_MS },
): string | undefined {
  const text = textOf(repeat, characters);
  const told = () => `${probe.name}, of ${JSON.stringify(repeat)}`;
  const from = process.cpuUsage();
  try {
    probe.run(text);
  } catch (error) {
    if (
      !(
        error instanceof SluiceError ||
        error instanceof FieldError ||
        error instanceof RowError ||
        isJsonError(error)
      )
    )
      return `${told()}: ${(error as Error).stack ?? error}`;
  }
  const { user, system } = process.cpuUsage(from);
  const ms = (user + system) / 1000;
  return ms > most ? `${told()}: ${Math.round(ms)} ms` : undefined;
}

/** What is no JSON is an error of JSON.parse, which its callers turn into one of their own. */
const isJsonError = (error: unknown) =>
  error instanceof SyntaxError || (error as Error)?.message?.startsWith('Parser ');

/** Tries all that is known on every probe, then random texts, until `going` says no; what is found, bounded. */
export function repeated(all: readonly Probe[], random: Random, going: (tried: number) => boolean): string[] {
  const found: string[] = [];
  let tried = 0;
  const each = (repeat: Repeat): boolean => {
    for (const probe of all) {
      if (!going(tried) || found.length >= MOST_FOUND) return false;
      found.push(...[faultOf(probe, repeat) ?? []].flat());
      tried++;
    }
    return true;
  };
  if (KNOWN.every(each)) while (each(randomRepeat(random)));
  return found;
}

const MOST_FOUND = 20;
