import type { Entry, Maker, Wording } from '../../src/core/errors/catalogue/entry.js';
import { topics } from '../../src/core/errors/catalogue/index.js';
import { Unsaid } from '../../src/core/errors/catalogue/state.js';
import type { ErrorKind } from '../../src/core/errors/sluice-error.js';
import type { NextStep } from '../../src/core/next.js';
import { BLANKS } from './blank.js';
import { errorsOfPipelines } from './of-pipelines.js';

/** A sentence of an error, with `…` for what is put into it. */
export interface ErrorEntry {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly message: string;
  readonly state: string | undefined;
  readonly next: readonly string[];
}

/** Every entry of the catalogue: its code, its name where the code has several, and what it says. */
export function catalogueEntries(): { code: string; name: string; kind: ErrorKind; wording: Wording }[] {
  return topics.flatMap((topic) =>
    Object.entries(topic).flatMap(([code, made]) =>
      (typeof made === 'function' ? [['', made] as const] : Object.entries(made as object)).map(
        ([name, maker]) => {
          const { kind, wording } = (maker as Maker<[object]>).entry as Entry<[object]>;
          return { code, name, kind, wording: wording(BLANKS) };
        },
      ),
    ),
  );
}

/** Every error of Sluice and of the pipelines that come with it, by code, each once. */
export function errorEntries(): ErrorEntry[] {
  const ours = catalogueEntries().map(
    ({ code, kind, wording: { says, state, next = [] } }): ErrorEntry => ({
      code,
      kind,
      message: String(says),
      state: state === undefined || state instanceof Unsaid ? undefined : String(state),
      next: [next].flat().map(stepText),
    }),
  );
  const entries = new Map([...errorsOfPipelines(), ...ours].map((entry) => [JSON.stringify(entry), entry]));
  return [...entries.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

const key = ({ code, message, next }: ErrorEntry) => `${code} ${message} ${next}`;

/** In commands blanks are quoted, as what they stand for might have to be. */
const stepText = (step: NextStep) => (typeof step === 'string' ? step : String(step).replaceAll("'…'", '…'));
