import { again, type NextStep } from '../../next.js';
import { failure, misuse, topic } from './entry.js';
import { AS_THE_COMMAND_ENDS, NOTHING_PUBLISHED } from './state.js';

const LINES_OR_CORRECT = again(
  { flags: { format: 'jsonl' } },
  {
    lead: 'correct the file; or, where it has one object a line',
    otherwise: 'correct the file; for one object a line use jsonl()',
  },
);

/** Where the file has no array of rows: which may be meant. */
interface Arrays {
  readonly input: string;
  /** The nearest of its arrays, or the only sensible one. */
  readonly meant: string | undefined;
  readonly arrays: readonly string[];
  readonly keys: readonly string[];
}

const found = ({ arrays, keys }: Arrays) => [
  ...(arrays.length > 0 ? [`arrays in it: ${arrays.join(', ')}`] : []),
  ...(keys.length > 0 ? [`keys at its top: ${keys.join(', ')}`] : []),
];

const OBJECTS_BY_LINE = again(
  { flags: { format: 'jsonl' } },
  { lead: 'where it has one object a line', otherwise: 'for one object a line use jsonl()' },
);

/** What to do about a document that is no array of rows itself. */
const atItsTop = ({ arrays: [first] }: Arrays): NextStep =>
  first === undefined
    ? OBJECTS_BY_LINE
    : again({ flags: { at: first } }, { otherwise: `name the array of rows: at: '${first}'` });

/** What to do about a document without the array of rows that is wanted. */
const insideOf = ({ wanted, meant, arrays }: Arrays & { readonly wanted: string }): NextStep => {
  if (arrays.length === 0) return OBJECTS_BY_LINE;
  return meant === undefined
    ? `add the array ${wanted} to the document, [] where there is nothing in it, or name the one that is meant (at)`
    : again({ flags: { at: meant } }, { otherwise: `is ${meant} meant? call it ${wanted}, or name it (at)` });
};

const WHOLE_OBJECT = again(
  { flags: { format: 'jsonl' } },
  {
    lead: 'or, where the object is the row',
    otherwise: 'or, where the object is the row, use jsonl()',
  },
);

/** Errors of JSON. */
export const jsonErrors = topic({
  duplicate_key: failure(({ input, path }: { input: string; path: string }) => ({
    says: `${input} has the key ${path} twice in one object: JSON readers keep one of them`,
    input,
    state: NOTHING_PUBLISHED,
    next: 'take one of the two out, or give it another name',
  })),
  invalid_json: {
    behind: failure(({ input, offset, why }: { input: string; offset: number; why: string }) => ({
      says: `${input} is not valid JSON after byte ${offset}: ${why}`,
      input,
      offset,
      state: AS_THE_COMMAND_ENDS,
      next: LINES_OR_CORRECT,
    })),
    at: failure(
      ({ input, line, character, why }: { input: string; line: number; character: number; why: string }) => ({
        says: `${input} is not valid JSON at line ${line}, character ${character}: ${why}`,
        input,
        line,
        state: AS_THE_COMMAND_ENDS,
        next: LINES_OR_CORRECT,
      }),
    ),
  },
  no_array: {
    isArray: misuse(({ input, wanted }: { input: string; wanted: string }) => ({
      says: `${input} is an array itself, and no document that has one at ${wanted}`,
      input,
      next: again(
        { drop: ['source'], flags: { input: [`${wanted}=${input}`] } },
        { lead: 'say which input it is', otherwise: 'read it whole (without at)' },
      ),
    })),
    isObject: misuse((arrays: Arrays) => ({
      says: `${arrays.input} is one JSON object`,
      input: arrays.input,
      details: found(arrays),
      next: [atItsTop(arrays), WHOLE_OBJECT],
    })),
    notArray: misuse((arrays: Arrays) => ({
      says: `${arrays.input} is no JSON array`,
      input: arrays.input,
      details: found(arrays),
      next: atItsTop(arrays),
    })),
    notThere: misuse((arrays: Arrays & { wanted: string; sequence: boolean }) => ({
      says: `${arrays.input} has no array at ${arrays.wanted}`,
      input: arrays.input,
      details: found(arrays),
      next: arrays.sequence ? [insideOf(arrays), WHOLE_OBJECT] : insideOf(arrays),
    })),
  },
});
