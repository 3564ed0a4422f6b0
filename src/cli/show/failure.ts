import { errorAnswer } from '../../core/errors/answer.js';
import { isError } from '../../core/errors/is-error.js';
import { type ErrorKind, EXIT, SluiceError } from '../../core/errors/sluice-error.js';
import { jsonText } from '../../core/json/write.js';
import { framesOf, stackOf, userFrames } from '../../core/stack.js';
import { asJson, asLine, leftOut, nextShown } from './next.js';
import { hasAnswered, print, recordsOnly, shortDetail, styled, unanswered, warn } from './terminal.js';

const EXITS: Readonly<Record<ErrorKind, number>> = {
  failed: EXIT.failed,
  usage: EXIT.usage,
  refused: EXIT.refused,
  interrupted: EXIT.interrupted,
};

/** The exit code for whatever was thrown. */
export function exitCode(error: unknown): number {
  return error instanceof SluiceError ? EXITS[error.kind] : EXIT.failed;
}

/** What `--json` prints where the command fails before it has printed anything; undefined where it was not given. */
let failureAnswer: ((error: unknown) => object) | undefined;

/** A new command begins: whether its answer is to be JSON, also where it fails. */
export function expectAnswer(json: boolean): void {
  unanswered();
  failureAnswer = json
    ? (error) => {
        const { kind, answer } = errorAnswer(error);
        return { status: kind, error: answer };
      }
    : undefined;
}

/** The same keys that the command answers with where it does not fail. */
export function answerFailureWith(make: (error: unknown) => object): void {
  if (failureAnswer !== undefined) failureAnswer = make;
}

/**
 * Says what happened, where, what state things are in now, and what to type next; with --json on stdout as well, unless
 * the command has printed its answer already.
 */
export function tell(error: unknown): void {
  const records = recordsOnly();
  if (records === undefined) warn(...told(error));
  else records.say('error', messageOf(error), asAttributes(error));
  if (failureAnswer !== undefined && !hasAnswered()) print(asJson(failureAnswer(error)));
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** An error as a record has it: its code, what `--json` says of it, and the exception that nobody expected. */
function asAttributes(error: unknown): Readonly<Record<string, unknown>> {
  const { code, message: _, next: _next, ...facts } = errorAnswer(error).answer;
  const known = { 'error.type': code, 'process.exit.code': exitCode(error), ...facts };
  if (!(error instanceof SluiceError)) {
    if (!(error instanceof Error)) return known;
    const { name, message, stack } = error;
    return { ...known, 'exception.type': name, 'exception.message': message, 'exception.stacktrace': stack };
  }
  const next = nextShown(error.facts.next).map(asLine);
  return next.length === 0 ? known : { ...known, next };
}

/** The lines of `tell`. */
export function told(error: unknown): string[] {
  if (!(error instanceof SluiceError)) {
    const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return [
      `${styled('red', 'sluice:')} unexpected error: ${said}`,
      ...framesOf((error instanceof Error && error.stack) || ''),
      `  ${styled('dim', 'next: ')} this is a fault of the pipeline's code or of Sluice: fix the code that is named, or report it with the lines above`,
    ];
  }
  const { facts } = error;
  const lines = [`${styled(error.kind === 'refused' ? 'yellow' : 'red', 'sluice:')} ${error.message}`];
  const where = [
    facts.input === undefined ? '' : facts.input,
    facts.table === undefined ? '' : `table ${facts.table}`,
    facts.line === undefined ? '' : `line ${facts.line}`,
    facts.offset === undefined ? '' : `byte ${facts.offset}`,
    facts.column === undefined ? '' : `column ${facts.column}`,
    facts.value === undefined ? '' : `value ${shown(facts.value)}`,
    facts.sqlstate === undefined ? '' : `SQLSTATE ${facts.sqlstate}`,
  ].filter((part) => part !== '');
  const labelled = (label: string, text: string) =>
    lines.push(`  ${styled('dim', `${label}:`.padEnd(6))} ${text}`);
  if (where.length > 0) labelled('where', where.join(', '));
  for (const detail of facts.details ?? []) {
    const [first, ...more] = detail.split('\n').map(shortDetail);
    lines.push(`    ${first}`, ...more.map((line) => `    ${styled('dim', '│')} ${line}`));
  }
  for (const [at, frame] of codeOf(error).entries()) {
    if (at === 0) labelled('code', frame);
    else lines.push(`         ${frame}`);
  }
  if (facts.log !== undefined) labelled('log', `${facts.log} (has the stack trace)`);
  if (facts.state !== undefined) labelled('state', facts.state);
  const steps = nextShown(facts.next);
  for (const [at, step] of steps.entries()) {
    if (at === 0) labelled('next', asLine(step));
    else lines.push(`         ${asLine(step)}`);
  }
  const note = leftOut(steps);
  if (note !== undefined) lines.push(`         ${styled('dim', `(${note})`)}`);
  return lines;
}

/** Frames shown of a user's own code. */
const SHOWN_FRAMES = 3;

/**
 * Where in the code it happened: in a user's own, or, where a fault of ours is logged nowhere, all of it; nothing where
 * no exception is behind it.
 */
function codeOf(error: SluiceError): string[] {
  const { facts } = error;
  const stack = stackOf(facts.cause);
  if (stack === undefined) return [];
  const own = userFrames(stack);
  if (own.length > 0) return own.slice(0, SHOWN_FRAMES);
  const ours = isError(error, 'unexpected', 'stage_failed') && facts.log === undefined;
  return ours ? framesOf(stack).map((frame) => frame.trim()) : [];
}

function shown(value: unknown): string {
  const text = jsonText(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
