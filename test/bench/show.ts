import Table from 'cli-table3';
import type { Result, Standing } from './contest.js';

/** The results as tables for a terminal. */
export function show(results: readonly Result[]): string {
  return results.map(one).join('\n\n');
}

function one({ work, rows, standings }: Result): string {
  const table = new Table({
    head: ['', 'sluice takes', 'at most', 'seconds', 'CPU', 'peak MB', 'runs'],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right'],
  });
  for (const standing of standings) table.push(line(standing, rows));
  return `${work}, ${rows.toLocaleString('en')} rows\n${table.toString()}`;
}

function line(standing: Standing, rows: number): string[] {
  const { name, skipped, runs, medianSeconds, medianCpuSeconds, peakMb, ratio, atMost } = standing;
  if (skipped !== undefined || medianSeconds === undefined || ratio === undefined)
    return [name, skipped ?? 'not run', '', '', '', '', ''];
  const fewer = standing.rows === rows ? '' : ` (on ${standing.rows.toLocaleString('en')} rows)`;
  return [
    name + fewer,
    times(ratio),
    atMost === undefined ? '' : `${times(atMost)}${ratio <= atMost ? '' : '  MISSED'}`,
    medianSeconds.toFixed(2),
    medianCpuSeconds == null ? '?' : medianCpuSeconds.toFixed(2),
    peakMb == null ? '?' : peakMb.toFixed(0),
    String(runs.length),
  ];
}

/** 1.15 ×, or 1/8 × for what is far below one. */
function times(ratio: number): string {
  return ratio < 0.5 ? `1/${(1 / ratio).toFixed(1)} ×` : `${ratio.toFixed(2)} ×`;
}
