import { type ErrorFacts, type ErrorKind, SluiceError } from '../sluice-error.js';
import { type State, Unsaid } from './state.js';

/** What only the place that throws knows; what is undefined is not known there. */
export type Known = { readonly [Fact in keyof ErrorFacts]?: ErrorFacts[Fact] | undefined };

/** How an error reads: its sentence, the state things are in, the way out, and facts that follow from the parameters. */
export interface Wording extends Omit<Known, 'state' | 'cause'> {
  /** What happened: begins small, as what follows a code does, and has no full stop. */
  readonly says: string;
  readonly state?: State;
}

/** Whatever broke or was refused may have left something behind: so its state belongs to it. */
type Stated = Wording & { readonly state: State };

/** Nothing, or one object with a name for each. */
type Parameters = readonly [] | readonly [object];

/** One sentence of the catalogue. */
export class Entry<Given extends Parameters> {
  constructor(
    readonly kind: ErrorKind,
    readonly wording: (...given: Given) => Wording,
  ) {}
}

/** Something broke: exit 1. */
export const failure = <Given extends Parameters>(wording: (...given: Given) => Stated) =>
  new Entry('failed', wording);

/** The command line or a pipeline's definition is wrong: exit 2. */
export const misuse = <Given extends Parameters>(wording: (...given: Given) => Wording) =>
  new Entry('usage', wording);

/** A check, a validation or a limit said no: exit 3. */
export const refusal = <Given extends Parameters>(wording: (...given: Given) => Stated) =>
  new Entry('refused', wording);

/** Somebody asked us to stop: exit 130. */
export const interruption = <Given extends Parameters>(wording: (...given: Given) => Wording) =>
  new Entry('interrupted', wording);

/** Makes an error out of the parameters of its sentence, and of what only the place that throws knows. */
export interface Maker<Given extends Parameters> {
  (...given: [...Given, known?: Known]): SluiceError;
  readonly entry: Entry<Given>;
}

// biome-ignore lint/suspicious/noExplicitAny: parameters are checked where an error is made
type AnyEntry = Entry<any>;

/** Errors by their codes; of a code with several sentences each has a name. */
type Topic = Readonly<Record<string, AnyEntry | Readonly<Record<string, AnyEntry>>>>;

type Made<E> = E extends Entry<infer Given> ? Maker<Given> : never;

export type Makers<T extends Topic> = {
  readonly [Code in keyof T]: T[Code] extends AnyEntry
    ? Made<T[Code]>
    : { readonly [Name in keyof T[Code]]: Made<T[Code][Name]> };
};

/** The errors of a topic, to be thrown: `throw ledgerErrors.no_ledger()`. */
export function topic<const T extends Topic>(entries: T): Makers<T> {
  const made = Object.entries(entries).map(([code, entry]) => [
    code,
    entry instanceof Entry
      ? maker(code, entry)
      : Object.fromEntries(Object.entries(entry).map(([name, each]) => [name, maker(code, each)])),
  ]);
  return Object.fromEntries(made);
}

function maker<Given extends Parameters>(code: string, entry: Entry<Given>): Maker<Given> {
  const { kind, wording } = entry;
  const make = (...given: unknown[]) => {
    const { says, state, ...facts } = wording(...(given.slice(0, wording.length) as unknown as Given));
    const said = state instanceof Unsaid ? undefined : state;
    return new SluiceError(
      kind,
      code,
      says,
      stated({ state: said, ...facts }, given[wording.length] as Known),
    );
  };
  return Object.assign(make as (...given: [...Given, known?: Known]) => SluiceError, { entry });
}

/** The facts that are there; what the place that throws knows counts first. */
function stated(facts: Known, known: Known = {}): ErrorFacts {
  const all: Record<string, unknown> = {};
  for (const each of [facts, known])
    for (const [name, fact] of Object.entries(each)) if (fact !== undefined) all[name] = fact;
  return all;
}
