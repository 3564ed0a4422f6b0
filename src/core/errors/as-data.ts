import { jsonText } from '../json/write.js';
import { type Meant, type NextStep, type Said, Suggestion } from '../next.js';
import { type ErrorFacts, type ErrorKind, SluiceError } from './sluice-error.js';

/** A next step as plain data. */
type StepData = string | { readonly meant: Meant; readonly said: Said };

/** An error as plain data, which another thread or process makes an error of again. */
export type ErrorData =
  | {
      readonly is: 'sluice';
      readonly kind: ErrorKind;
      readonly code: string;
      readonly message: string;
      readonly stack: string | undefined;
      readonly facts: Omit<ErrorFacts, 'next' | 'cause'>;
      readonly next?: StepData | readonly StepData[];
      readonly cause?: ErrorData;
    }
  | {
      readonly is: 'error';
      readonly name: string;
      readonly message: string;
      readonly stack: string | undefined;
      /** What it has besides: the code of a system's error, the fields of a server's. */
      readonly own: Readonly<Record<string, Plain>>;
      readonly errors?: readonly ErrorData[];
      readonly cause?: ErrorData;
    }
  | { readonly is: 'value'; readonly value: Plain };

type Plain = string | number | boolean | bigint | null | undefined | Date;

/** Causes of causes that are told. */
const DEEPEST = 10;

/** `error`, whatever was thrown, as plain data: its kind, what it says and knows, its stack trace and what caused it. */
export function errorAsData(error: unknown, depth = 0): ErrorData {
  if (!(error instanceof Error)) return { is: 'value', value: plain(error) };
  const { message, stack } = error;
  const cause =
    error.cause === undefined || depth === DEEPEST ? {} : { cause: errorAsData(error.cause, depth + 1) };
  if (error instanceof SluiceError) {
    const { next, cause: _, value, ...facts } = error.facts;
    return {
      is: 'sluice',
      kind: error.kind,
      code: error.code,
      message,
      stack,
      facts: value === undefined ? facts : { ...facts, value: plain(value) },
      ...(next === undefined ? {} : { next: isSteps(next) ? next.map(stepData) : stepData(next) }),
      ...cause,
    };
  }
  const errors =
    error instanceof AggregateError && depth < DEEPEST
      ? { errors: error.errors.map((each: unknown) => errorAsData(each, depth + 1)) }
      : {};
  return { is: 'error', name: error.name, message, stack, own: ownOf(error), ...errors, ...cause };
}

/** The error that `data` was. Of a class of somebody's own it has the name, not the class. */
export function errorFromData(data: ErrorData): unknown {
  if (data.is === 'value') return data.value;
  const cause = data.cause === undefined ? undefined : errorFromData(data.cause);
  const error = data.is === 'sluice' ? ours(data, cause) : others(data, cause);
  if (data.stack !== undefined)
    Object.defineProperty(error, 'stack', { value: data.stack, writable: true, configurable: true });
  return error;
}

function ours(data: Extract<ErrorData, { is: 'sluice' }>, cause: unknown): SluiceError {
  const { next } = data;
  return new SluiceError(data.kind, data.code, data.message, {
    ...data.facts,
    ...(next === undefined ? {} : { next: isSteps(next) ? next.map(stepOf) : stepOf(next) }),
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Those of JavaScript's own classes that code may tell errors by. */
const CLASSES: ReadonlyMap<string, ErrorConstructor> = new Map<string, ErrorConstructor>(
  [TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError].map((each) => [each.name, each]),
);

function others(data: Extract<ErrorData, { is: 'error' }>, cause: unknown): Error {
  const options = cause === undefined ? {} : { cause };
  const Class = CLASSES.get(data.name) ?? Error;
  const error =
    data.errors === undefined
      ? new Class(data.message, options)
      : new AggregateError(data.errors.map(errorFromData), data.message, options);
  if (error.name !== data.name)
    Object.defineProperty(error, 'name', { value: data.name, writable: true, configurable: true });
  return Object.assign(error, data.own);
}

/** The error's own fields, but for those that every error has. */
function ownOf(error: Error): Record<string, Plain> {
  const own = Object.entries(error).filter(
    ([name]) => !['name', 'message', 'stack', 'cause', 'errors'].includes(name),
  );
  return Object.fromEntries(own.flatMap(([name, value]) => (isPlain(value) ? [[name, value]] : [])));
}

const isPlain = (value: unknown): value is Plain =>
  value === null || value instanceof Date || !['object', 'function', 'symbol'].includes(typeof value);

const plain = (value: unknown): Plain => (isPlain(value) ? value : (jsonText(value) ?? String(value)));

const isSteps = <S>(next: S | readonly S[]): next is readonly S[] => Array.isArray(next);

const stepData = (step: NextStep): StepData =>
  typeof step === 'string' ? step : { meant: step.meant, said: step.said };

const stepOf = (step: StepData): NextStep =>
  typeof step === 'string' ? step : new Suggestion(step.meant, step.said);
