import { again, command, type NextStep, type Suggestion } from '../../core/next.js';
import type { Report } from '../../core/report.js';
import { publishing } from '../../run/given/next-command.js';
import type { Summary } from '../../run/given/summary.js';
import { toWrite } from '../given/execute.js';
import { changesText, isKnown } from './changes.js';
import { leftOut, nextShown } from './next.js';
import { recordLines } from './records.js';
import { stagesTable } from './stages.js';
import { table } from './table.js';
import { count, counted, recordsOnly, say, seconds, styled } from './terminal.js';

/** Rows of a report shown on a terminal; `sluice report B` shows all that were kept. */
const SHOWN_ROWS = 12;

/** What a summary is shown with. */
interface Shown {
  /** The reports are in files already. */
  readonly wholeReports?: boolean;
  /** The run is one that publishes. */
  readonly publishes?: boolean;
}

/**
 * Shows what a run did, and what to type next, on stderr. `write` is the command that writes what a dry run or a
 * rehearsal has only tried; `from` is where the pipeline is from.
 */
export function showSummary(
  summary: Summary,
  rejectsShown: readonly string[],
  write: Suggestion = toWrite({}),
  from = summary.pipeline ?? '',
  { wholeReports = false, publishes = true }: Shown = {},
): void {
  const records = recordsOnly();
  if (records !== undefined) {
    records.say('info', headline(summary), { summary });
    return;
  }
  for (const report of summary.reports) showReport(report, SHOWN_ROWS);
  say();
  say(`${styled('green', '✓')} ${headline(summary)}`);
  say();
  const rows: string[][] = [
    ['read', counted(summary.read, 'row')],
    ...tableRows(summary),
    ...statistics(summary),
  ];
  for (const file of summary.files) rows.push(['file', `${file.path} (${file.what})`]);
  rows.push([
    'time',
    `${seconds(summary.seconds)} (${times(summary.timings)}); ${counted(summary.rows_per_second, 'row')}/s`,
  ]);
  if (summary.lock_ms !== null)
    rows.push(['locked', `live tables were locked for ${summary.lock_ms.toFixed(1)} ms`]);
  say(...table(['', ''], rows, { indent: '  ' }));
  if (summary.stages.length > 0) say('', ...stagesTable(summary.stages));
  for (const line of recordLines({ types: summary.records, errors: summary.frequent_errors })) say(line);
  for (const line of rejectsShown) say(line);
  const cutOff = summary.reports.some(({ rows, more }) => rows.length + more > SHOWN_ROWS);
  showNext(nextSteps(summary, write, from, { offersReports: cutOff && !wholeReports, publishes }));
}

/** Shows what a run had counted that did not end well: its reports and, where it was refused, its statistics. */
export function showStatistics(summary: Summary): void {
  const records = recordsOnly();
  if (records !== undefined) {
    records.say('info', 'what was counted', { summary });
    return;
  }
  for (const report of summary.reports) showReport(report, SHOWN_ROWS);
  if (summary.status !== 'refused' || summary.read === 0) return;
  const rows = [['read', counted(summary.read, 'row')], ...statistics(summary)];
  say('', ...table(['', ''], rows, { indent: '  ' }));
}

/** A line each for the rows that were left out, and for the pipeline's own figures. */
function statistics({ rejected, skipped, reject_reasons, skip_reasons, figures }: Summary): string[][] {
  const why = (rows: number, of: Readonly<Record<string, number>>) =>
    [counted(rows, 'row'), reasons(of)].filter((part) => part !== '').join(': ');
  return [
    ...(rejected > 0 ? [['rejected', why(rejected, reject_reasons)]] : []),
    ...(skipped > 0 ? [['skipped', why(skipped, skip_reasons)]] : []),
    ...Object.entries(figures).map(([name, figure]) => [name.replaceAll('_', ' '), count(figure)]),
  ];
}

/** Shows steps as a table: the commands, and what each does. */
function showNext(steps: readonly NextStep[]): void {
  const shown = nextShown(steps);
  if (shown.length === 0) return;
  say();
  say(styled('dim', 'next:'));
  say(
    ...table(
      ['', ''],
      shown.map(({ text, said }) => [text, said.note ?? '']),
      { indent: '  ' },
    ),
  );
  const note = leftOut(shown);
  if (note !== undefined) say(styled('dim', `  (${note})`));
}

/** A line for each table: its rows, and what became of them. */
function tableRows({ loaded, changes, published, status }: Summary): string[][] {
  if (status === 'staged')
    return Object.entries(loaded).map(([table, rows]) => [table, `${counted(rows, 'row')} staged`]);
  return Object.entries(changes).map(([table, of]) => {
    const how = published[table];
    const what = changesText(of);
    const more = isKnown(of) ? [] : ['the rest is known once they are staged and published'];
    const said = [what, ...more].filter((each) => each !== '').join('; ');
    return [
      table,
      `${counted(of.staged, 'row')}${how === undefined ? '' : `, ${how}`}${said === '' ? '' : `: ${said}`}`,
    ];
  });
}

/** Shows a report as a table, `most` rows of it. */
function showReport(report: Report, most: number): void {
  say();
  say(styled('bold', report.name));
  for (const line of report.summary) say(`  ${line}`);
  if (report.rows.length === 0) return;
  const shown = report.rows.slice(0, most);
  say(...table(report.columns, shown, { indent: '  ' }));
  const more = report.rows.length - shown.length + report.more;
  if (more > 0) say(`  … and ${count(more)} more`);
}

function headline(summary: Summary): string {
  const batch = summary.batch === null ? '' : `batch ${summary.batch}: `;
  switch (summary.status) {
    case 'dry run':
      return 'dry run: every row was read, transformed and checked; nothing was written';
    case 'written':
      return summary.files.length === 0
        ? 'done: every row was read and written'
        : 'written: all files are whole, and have their names';
    case 'rehearsed':
      return `${batch}rehearsed: loaded, validated and published, then rolled back; live is as it was`;
    case 'staged':
      return `${batch}staged and validated; nothing is published yet`;
    case 'unchanged':
      if (summary.published_by !== null)
        return `${batch}nothing to do: live is what batch ${summary.published_by} has made of the very same input, and nobody has written to it since`;
      if (summary.read === 0) return `${batch}nothing to do: the input has no row`;
      return summary.rejected === 0
        ? `${batch}nothing to do: live already holds exactly these rows`
        : `${batch}nothing to publish: live already holds every row that was not rejected`;
    case 'completed':
      return `${batch}published`;
    default:
      return `${batch}${summary.status}`;
  }
}

function nextSteps(
  summary: Summary,
  write: Suggestion,
  from: string,
  { offersReports, publishes }: { readonly offersReports: boolean; readonly publishes: boolean },
): NextStep[] {
  const id = summary.batch ?? '';
  const look = command('status', [id], {}, { note: 'look at it' });
  const drop = ['dryRun', 'execute', 'swap', 'reportsInto'];
  switch (summary.status) {
    case 'dry run':
      return [
        ...(publishes
          ? [
              again(
                { drop, flags: { rehearse: true } },
                { note: 'load, validate and publish, then roll back' },
              ),
            ]
          : []),
        ...(offersReports
          ? [again({ flags: { reportsInto: 'reports' } }, { note: 'all rows of the reports, as CSV' })]
          : []),
        write,
      ];
    case 'rehearsed':
      return [write];
    case 'staged':
      return [publishing({ id, pipeline_from: from }, { note: 'publish it' }), look];
    case 'unchanged':
      if (summary.published_by !== null)
        return [again({ flags: { always: true } }, { note: 'load it all the same' }), look];
      return [look, ...setAside(summary)];
    case 'completed':
      return [look, command('rollback', [id], {}, { note: 'put everything back' }), ...setAside(summary)];
    default:
      return [];
  }
}

function setAside({ rejected, batch }: Summary): NextStep[] {
  if (rejected === 0 || batch === null) return [];
  return [command('rejects', [batch], {}, { note: 'the rows that were set aside' })];
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
