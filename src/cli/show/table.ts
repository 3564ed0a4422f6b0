import Table from 'cli-table3';
import { shown, styled } from './terminal.js';

/** Rows as the lines of an aligned table without ruled lines, two blanks between columns. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  options: { readonly right?: readonly number[]; readonly indent?: string } = {},
): string[] {
  const made = new Table({
    chars: Object.fromEntries(
      [
        'top',
        'top-mid',
        'top-left',
        'top-right',
        'bottom',
        'bottom-mid',
        'bottom-left',
        'bottom-right',
        'left',
        'left-mid',
        'mid',
        'mid-mid',
        'right',
        'right-mid',
        'middle',
      ].map((part) => [part, '']),
    ),
    style: { 'padding-left': 0, 'padding-right': 2, head: [], border: [] },
    colAligns: head.map((_, at) => (options.right?.includes(at) ? 'right' : 'left')),
  });
  if (head.some((name) => name !== '')) made.push(head.map((name) => styled('dim', shown(name))));
  for (const row of rows) made.push(row.map((cell) => shown(cell)));
  const indent = options.indent ?? '';
  return made
    .toString()
    .split('\n')
    .map((line) => indent + line.trimEnd());
}
