import type { BackedUp } from '../../backup/backup.js';
import { noun } from '../../core/plural.js';
import { table } from './table.js';
import { bytes, count, counted, styled } from './terminal.js';

/** What a backup holds, as lines for a terminal. */
export function backupLines(made: BackedUp): string[] {
  const rows = new Map(made.tables.map(({ file, rows }) => [file, count(rows)]));
  const lines = [
    `${styled('green', '✓')} backup of ${made.source.name} in ${made.directory}`,
    ...table(
      ['file', 'what', 'rows', 'size'],
      made.files.map(({ file, what, bytes: size }) => [file, what, rows.get(file) ?? '', bytes(size)]),
      { right: [2, 3], indent: '  ' },
    ),
  ];
  for (const { table: name, unreadable } of made.tables)
    if (unreadable > 0)
      lines.push(
        `  ${styled('yellow', '!')} ${name}: ${counted(unreadable, 'row')} ${noun(unreadable, 'holds', 'hold')} text that is not UTF-8 or has a NUL in it; ${noun(unreadable, 'it is', 'they are')} in the database file only`,
      );
  return lines;
}
