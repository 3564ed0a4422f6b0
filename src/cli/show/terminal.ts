import { styleText } from 'node:util';
import { bytes, count, plural } from '../../core/plural.js';
import { visible } from '../../core/visible.js';
import { put } from './output.js';

export { bytes, count };

/** Colour only where a person looks: a terminal, and no NO_COLOR (https://no-color.org). */
const coloured =
  process.stderr.isTTY === true && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb';

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Characters of a detail that are shown: a value of thousands would bury the others. */
const LONGEST_DETAIL = 600;

/** One of the details of an error or a finding, as it is shown; `--json` has all of it. */
export function shortDetail(text: string): string {
  return text.length <= LONGEST_DETAIL
    ? text
    : `${text.slice(0, LONGEST_DETAIL)}… (${text.length} characters)`;
}

/** `text` in a style, where styles are shown. */
export function styled(style: Style, text: string): string {
  return coloured && voice === undefined ? styleText(style, text) : text;
}

/** The codes of `styled`, and no others. */
const ESCAPE = '\u001b';
const STYLES = new RegExp(`(${ESCAPE}\\[(?:1|2|22|3[1236]|39)m)`);

/**
 * `text` as one line that shows all that is in it; only our own styles still mean something to the terminal. What comes
 * out of files, databases and the command line is printed through here and nowhere past it.
 */
export function shown(text: string, styles = coloured): string {
  if (!styles) return visible(text);
  return text
    .split(STYLES)
    .map((part, at) => (at % 2 === 1 ? part : visible(part)))
    .join('');
}

const asLines = (lines: readonly string[]) =>
  lines.length === 0 ? '\n' : lines.map((line) => `${shown(line)}\n`).join('');

let quiet = false;

/** Whether only warnings and errors are said from now on. */
export function hush(only: boolean): void {
  quiet = only;
}

/** How grave a record is. */
export type Severity = 'info' | 'warn' | 'error';

/** Says on stderr, instead of lines for people, records for programs. */
export interface Voice {
  say(severity: Severity, body: string, attributes?: Readonly<Record<string, unknown>>): void;
  /** What all records from now on are about. */
  about(attributes: Readonly<Record<string, unknown>>): void;
}

let voice: Voice | undefined;

/** Who says everything on stderr from now on; undefined: lines for people. */
export function speakBy(records: Voice | undefined): void {
  voice = records;
}

/** Who says records, where stderr holds nothing else: whoever would show a table says one record instead. */
export function recordsOnly(): Voice | undefined {
  return voice;
}

/** Lines for people, on stderr: stdout is for data. Without any, an empty one. */
export function say(...lines: readonly string[]): void {
  if (!quiet) utter('info', lines);
}

/** Lines for people that --quiet does not silence. */
export function warn(...lines: readonly string[]): void {
  utter('warn', lines);
}

function utter(severity: Severity, lines: readonly string[]): void {
  if (voice === undefined) {
    put(process.stderr, asLines(lines));
    return;
  }
  const body = lines.join('\n').trim();
  if (body !== '') voice.say(severity, body);
}

/** Whether anything was printed on stdout since the command began. */
let answered = false;

/** Tells a new command in this process that nothing is answered yet. */
export function unanswered(): void {
  answered = false;
}

/** Whether the command has printed data. */
export function hasAnswered(): boolean {
  return answered;
}

/** Lines of what was asked for, on stdout: for people, or of JSON. */
export function print(...lines: readonly string[]): void {
  answered = true;
  put(process.stdout, asLines(lines));
}

/** The same; resolves when more may come, so that a slow reader does not fill the memory. */
export async function printed(...lines: readonly string[]): Promise<void> {
  await poured(asLines(lines));
}

/** Text for other programs (CSV), on stdout as it is, but for a terminal. Resolves as `printed` does. */
export async function handed(text: string): Promise<void> {
  await poured(process.stdout.isTTY === true ? asLines(text.split('\n')) : `${text}\n`);
}

/** The same of bytes, a piece of whole lines at a time where a terminal shows them. */
export async function handedBytes(bytes: Uint8Array): Promise<void> {
  if (process.stdout.isTTY !== true) return poured(bytes);
  const lines = Buffer.from(bytes).toString().split('\n');
  await poured(asLines(lines.at(-1) === '' ? lines.slice(0, -1) : lines));
}

async function poured(out: string | Uint8Array): Promise<void> {
  answered = true;
  if (put(process.stdout, out) || process.stdout.destroyed) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      for (const event of EVENTS) process.stdout.off(event, done);
      resolve();
    };
    for (const event of EVENTS) process.stdout.on(event, done);
  });
}

const EVENTS = ['drain', 'close', 'error'] as const;

/** 1 → `1 row`, 1234567 → `1,234,567 rows`. */
export function counted(n: number, one: string, many?: string): string {
  return plural(n, one, many, count(n));
}

/** Seconds as a person says them: 0.42 s, 12.3 s, 3 min 20 s. */
export function seconds(s: number): string {
  if (s < 10) return `${s.toFixed(2)} s`;
  if (s < 90) return `${s.toFixed(1)} s`;
  const whole = Math.round(s);
  return whole < 5400
    ? `${Math.floor(whole / 60)} min ${whole % 60} s`
    : `${Math.floor(whole / 3600)} h ${Math.round((whole % 3600) / 60)} min`;
}

/** Moments as UTC to the second: 2026-11-21 02:08:20Z. */
export function moment(at: Date | null): string {
  return at === null ? '' : `${at.toISOString().slice(0, 19).replace('T', ' ')}Z`;
}
