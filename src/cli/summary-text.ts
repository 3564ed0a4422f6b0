import type { Report } from '../core/report.js';
import { again } from '../run/again.js';
import type { Summary } from '../run/options.js';
import { recordLines } from './records-text.js';
import { stagesTable } from './stages-text.js';
import { count, say, seconds, styled, table } from './terminal.js';

/** Rows of a report shown on a terminal; `sluice report B` shows all that were kept. */
export const SHOWN_ROWS = 12;

/**
 * Shows what a run did, and what to type next, on stderr. `from` is how to find the pipeline again, `toWrite` the
 * command that writes where the pipeline's default is a dry run.
 */
export function showSummary(
  summary: Summary,
  rejectsShown: readonly string[],
  from: string,
  toWrite?: string,
): void {
  for (const report of summary.reports) showReport(report, SHOWN_ROWS);
  say();
  say(`${styled('green', '✓')} ${headline(summary)}`);
  say();
  const rows: string[][] = [['read', `${count(summary.read)} rows`]];
  for (const [table, loaded] of Object.entries(summary.loaded)) {
    const how = summary.published[table];
    rows.push([table, `${count(loaded)} rows${how === undefined ? ' staged' : `, ${how}`}`]);
  }
  if (summary.rejected > 0)
    rows.push(['rejected', `${count(summary.rejected)} rows: ${reasons(summary.reject_reasons)}`]);
  if (summary.skipped > 0)
    rows.push(['skipped', `${count(summary.skipped)} rows: ${reasons(summary.skip_reasons)}`]);
  for (const [name, figure] of Object.entries(summary.figures))
    rows.push([name.replaceAll('_', ' '), count(figure)]);
  for (const file of summary.files) rows.push(['file', `${file.path} (${file.what})`]);
  rows.push([
    'time',
    `${seconds(summary.seconds)} (${times(summary.timings)}); ${count(summary.rows_per_second)} rows/s`,
  ]);
  if (summary.lock_ms !== null)
    rows.push(['locked', `live tables were locked for ${summary.lock_ms.toFixed(1)} ms`]);
  say(table(['', ''], rows, { indent: '  ' }));
  if (summary.stages.length > 0) say(`\n${stagesTable(summary.stages)}`);
  for (const line of recordLines({ types: summary.records, errors: summary.frequent_errors })) say(line);
  for (const line of rejectsShown) say(line);
  const steps = nextSteps(summary, from, toWrite);
  if (steps.length > 0) {
    say();
    say(styled('dim', 'next:'));
    say(table(['', ''], steps, { indent: '  ' }));
  }
}

/** Shows a report as a table, `most` rows of it. */
export function showReport(report: Report, most: number): void {
  say();
  say(styled('bold', report.name));
  for (const line of report.summary) say(`  ${line}`);
  if (report.rows.length === 0) return;
  const shown = report.rows.slice(0, most);
  say(table(report.columns, shown, { indent: '  ' }));
  const more = report.rows.length - shown.length + report.more;
  if (more > 0) say(`  … and ${count(more)} more`);
}

function headline(summary: Summary): string {
  const batch = summary.batch === null ? '' : `batch ${summary.batch}: `;
  switch (summary.status) {
    case 'dry run':
      return 'dry run: every row was read, transformed and checked; nothing was written';
    case 'rehearsed':
      return `${batch}rehearsed: loaded, validated and published, then rolled back; live is as it was`;
    case 'staged':
      return `${batch}staged and validated; nothing is published yet`;
    case 'unchanged':
      return summary.rejected === 0
        ? `${batch}nothing to do: live already holds exactly these rows`
        : `${batch}nothing to publish: live already holds every row that was not rejected`;
    case 'completed':
      return `${batch}published`;
  }
}

function nextSteps(summary: Summary, from: string, toWrite = again(from)): string[][] {
  const id = summary.batch;
  switch (summary.status) {
    case 'dry run':
      return [
        [`${toWrite.replace(/ --execute$/, '')} --rehearse`, 'load, validate and publish, then roll back'],
        [toWrite, 'write it'],
      ];
    case 'rehearsed':
      return [[toWrite, 'write it']];
    case 'staged':
      return [
        [`sluice swap ${id}`, 'publish it'],
        [`sluice status ${id}`, 'look at it'],
      ];
    case 'unchanged':
      return [[`sluice status ${id}`, 'look at it'], ...setAside(summary)];
    case 'completed':
      return [
        [`sluice status ${id}`, 'look at it'],
        [`sluice rollback ${id}`, 'put everything back'],
        ...setAside(summary),
      ];
  }
}

function setAside({ rejected, batch }: Summary): string[][] {
  return rejected > 0 ? [[`sluice rejects ${batch}`, 'the rows that were set aside']] : [];
}

function reasons(table: Readonly<Record<string, number>>): string {
  return Object.entries(table)
    .sort((a, b) => b[1] - a[1])
    .map(([reason, rows]) => `${reason.replaceAll('_', ' ')} ${count(rows)}`)
    .join(', ');
}

function times(timings: Readonly<Record<string, number>>): string {
  return Object.entries(timings)
    .map(([phase, spent]) => `${phase} ${seconds(spent)}`)
    .join(', ');
}
