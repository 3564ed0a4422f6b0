import type { Assessed, AssessedQuality, AssessedRows } from '../../assess/assess.js';
import { nextLines } from './next.js';
import { recordLines } from './records.js';
import { table } from './table.js';
import { count, styled } from './terminal.js';

/** Rows of figures that a terminal is shown. */
const SHOWN = 15;

/** An assessment as lines for a terminal. */
export function assessLines(assessed: Assessed): string[] {
  const { inputs, tables, figures } = assessed;
  const lines = [
    `${styled('bold', assessed.pipeline)}: ${assessed.summary}`,
    '',
    `  the old system: ${assessed.system.name}`,
  ];
  const add = (title: string, text: readonly string[]) => lines.push('', styled('bold', title), ...text);
  add(
    'Inputs',
    table(
      ['input', 'from', 'rows', ...(inputs.some(({ rejected }) => rejected > 0) ? ['unreadable'] : [])],
      inputs.map(({ name, from, rows, rejected }) => [
        name,
        from,
        count(rows),
        ...(inputs.some((each) => each.rejected > 0) ? [count(rejected)] : []),
      ]),
      { right: [2, 3], indent: '  ' },
    ),
  );
  if (tables.length > 0)
    add(
      'Tables',
      table(
        ['table', '', 'rows'],
        tables.map(({ name, of, rows }) => [
          name,
          of === 'target' ? 'to be published' : '',
          rows === null ? 'not there' : count(rows),
        ]),
        { right: [2], indent: '  ' },
      ),
    );
  add('Data quality', qualityLines(assessed.quality));
  add('Rows that a run would reject', rowLines(assessed.rows));
  for (const { name, summary, columns, rows, chart } of figures) {
    const numeric = columns.flatMap((column, at) =>
      column !== chart?.label && rows.every((row) => isNumber(row[at])) ? [at] : [],
    );
    add(name, [
      `  ${styled('dim', summary)}`,
      ...(rows.length === 0
        ? ['  no rows']
        : table(
            columns,
            rows
              .slice(0, SHOWN)
              .map((row) =>
                row.map((cell, at) => (numeric.includes(at) ? count(Number(cell)) : oneLine(cell))),
              ),
            { right: numeric, indent: '  ' },
          )),
      ...(rows.length > SHOWN ? [`  … and ${rows.length - SHOWN} more (--json, --html)`] : []),
    ]);
  }
  return lines;
}

function qualityLines(quality: readonly AssessedQuality[]): string[] {
  if (quality.length === 0) return ['  nothing is declared, and the catalog raises no question'];
  return quality.flatMap(({ name, offenders, of, severity, examples, next }) => {
    const mark =
      offenders === 0
        ? styled('green', '✓')
        : severity === 'error'
          ? styled('red', '✗')
          : styled('yellow', '!');
    const found =
      offenders === 0 ? `none of ${count(of)}` : `${count(offenders)} of ${count(of)}, ${severity}`;
    return [
      `  ${mark} ${name}: ${found}`,
      ...(offenders === 0 ? [] : examples.map((example) => `      ${oneLine(example)}`)),
      ...(offenders === 0 ? [] : nextLines(next).map((step) => `      ${styled('dim', 'next:')} ${step}`)),
    ];
  });
}

function rowLines(rows: AssessedRows): string[] {
  if ('why' in rows) return [`  ${styled('yellow', '!')} not asked: ${rows.why}`];
  const { read, rejected, errors, refused } = rows;
  const mark =
    refused !== null ? styled('red', '✗') : rejected > 0 ? styled('yellow', '!') : styled('green', '✓');
  const said =
    refused ?? (rejected === 0 ? `none of ${count(read)}` : `${count(rejected)} of ${count(read)}`);
  return [`  ${mark} ${said}`, ...recordLines({ types: [], errors })];
}

const isNumber = (cell: string | null | undefined) =>
  typeof cell === 'string' && /^-?\d{1,15}(\.\d+)?$/.test(cell);

/** The beginning of a cell, which may be long. */
const oneLine = (cell: string | null) => (cell ?? '').slice(0, 120);
