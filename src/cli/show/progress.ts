import type { Next } from '../../core/next.js';
import type { RecordSummary } from '../../core/record-summary.js';
import type { InputProgress } from '../../db/ledger/batches.js';
import type { Events } from '../../run/given/events.js';
import { nextLines } from './next.js';
import { recordLines } from './records.js';
import { bytes, count, counted, recordsOnly, say, seconds, shown, styled, warn } from './terminal.js';
import { hostsText } from './workers.js';

/** Off a terminal one line at most so often. */
const LINE_EVERY_MS = 5_000;

/** Columns of such a line for what hosts load. */
const LINE_ROOM = 120;

/** What shows a run's progress, and how it is put away. */
export interface Progress extends Events {
  /** Removes what is still on the screen. */
  stop(): void;
}

/** A bar with rate and ETA on a terminal, plain lines now and then off it. */
export async function showProgress(): Promise<Progress> {
  const shared = {
    phase: (_name: string, what: string) => say(`${styled('dim', '·')} ${what}`),
    note: (text: string, next?: Next) => {
      say(`  ${text}`);
      for (const line of nextLines(next)) say(`    ${styled('dim', 'next:')} ${line}`);
    },
    records: (summary: RecordSummary) => {
      for (const line of recordLines(summary)) say(line);
    },
    warn: (text: string, next?: Next) => {
      if (recordsOnly() !== undefined) return warn([text, ...nextLines(next)].join('; '));
      say(`${styled('yellow', 'warning:')} ${text}`);
      for (const line of nextLines(next)) say(`  ${styled('dim', 'next:')} ${line}`);
    },
  };
  return process.stderr.isTTY && recordsOnly() === undefined ? bar(shared) : lines(shared);
}

type Shared = Required<Pick<Events, 'phase' | 'note' | 'warn' | 'records'>>;

async function bar(shared: Shared): Promise<Progress> {
  const { SingleBar } = await import('cli-progress');
  let current: InstanceType<typeof SingleBar> | undefined;
  let from = 0;
  /** What hosts load stands behind a shorter bar. */
  let short = false;
  const stop = () => {
    current?.stop();
    current = undefined;
  };
  const above =
    <A extends readonly unknown[]>(tell: (...said: A) => void) =>
    (...said: A) => {
      stop();
      tell(...said);
    };
  return {
    phase: above(shared.phase),
    note: above(shared.note),
    warn: above(shared.warn),
    records: (summary) => {
      stop();
      shared.records(summary);
    },
    stop,
    progress({ rows, done = 0, of, unit, inputs, shares }) {
      if ((shares !== undefined) !== short) {
        stop();
        short = shares !== undefined;
      }
      if (current === undefined) {
        from = performance.now();
        current = new SingleBar({
          format:
            of === undefined
              ? '  {rows} rows · {rate}'
              : '  {bar} {percentage}% · {rows} rows · {rate} · {eta_text}{files}',
          stream: process.stderr,
          barsize: short ? 10 : 28,
          barCompleteChar: '█',
          barIncompleteChar: '░',
          hideCursor: true,
          clearOnComplete: true,
          fps: 8,
          linewrap: false,
        });
        current.start(of ?? 0, 0, { rows: '0', rate: '', eta_text: '', files: '' });
      }
      const elapsed = (performance.now() - from) / 1000;
      const left = of === undefined || done === 0 ? undefined : (elapsed / done) * (of - done);
      const text = {
        rows: count(rows),
        rate: `${counted(Math.round(rows / Math.max(elapsed, 0.001)), 'row')}/s`,
        eta_text: left === undefined || elapsed < 1 ? '' : `${seconds(Math.max(0, left))} left`,
      };
      const unfinished = inputs.filter((each) => each.of === null || each.done < each.of);
      const room = (process.stderr.columns ?? 80) - 1 - fixedColumns(of, text);
      if (of !== undefined) current.setTotal(of);
      current.update(Math.min(done, of ?? done), {
        ...text,
        ...(unit === 'bytes' ? { size: bytes(done) } : {}),
        files: shown(shares === undefined ? byInput(unfinished) : hostsText(shares, room)),
      });
    },
  };
}

/** Columns of the line in front of what hosts load: two blanks, the bar, and what stands between them. */
function fixedColumns(of: number | undefined, texts: Readonly<Record<string, string>>): number {
  const words = Object.values(texts).reduce((sum, text) => sum + text.length, 0);
  return of === undefined ? 5 + words : 2 + 10 + 1 + 4 + 9 + words + ' rows'.length;
}

function lines(shared: Shared): Progress {
  let from = 0;
  let last = 0;
  return {
    ...shared,
    stop() {},
    progress({ rows, done, of, inputs, shares }) {
      const now = performance.now();
      if (from === 0) {
        from = now;
        last = now;
      }
      if (now - last < LINE_EVERY_MS) return;
      last = now;
      const elapsed = (now - from) / 1000;
      const share =
        of === undefined || done === undefined || of === 0 ? '' : `${Math.floor((100 * done) / of)}% · `;
      const left =
        of === undefined || !done ? '' : ` · ${seconds(Math.max(0, (elapsed / done) * (of - done)))} left`;
      say(
        `  ${share}${counted(rows, 'row')} · ${counted(Math.round(rows / elapsed), 'row')}/s${left}${inputs.length > 1 ? byInput(inputs) : ''}${shares === undefined ? '' : hostsText(shares, LINE_ROOM)}`,
      );
    },
  };
}

/** ` · clients 100% · pets 42%`: how far every input is, of which that is known. */
export function byInput(inputs: readonly InputProgress[]): string {
  return inputs
    .map(({ input, done, of, rows }) =>
      of === null || of === 0
        ? ` · ${input} ${counted(rows, 'row')}`
        : ` · ${input} ${Math.floor((100 * Math.min(done, of)) / of)}%`,
    )
    .join('');
}
