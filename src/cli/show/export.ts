import type { Exported } from '../../export/export.js';
import { bytes, counted, seconds, styled } from './terminal.js';

/** What an export has written, a line for each file. */
export function exportLines({ files }: Exported, took: number): string[] {
  const rows = files.reduce((sum, file) => sum + file.rows, 0);
  const all = files.reduce((sum, file) => sum + file.bytes, 0);
  const rate = counted(Math.round(rows / Math.max(took, 0.001)), 'row');
  const total = `${styled('green', '✓')} ${counted(rows, 'row')}, ${bytes(all)}, in ${seconds(took)} (${rate}/s)`;
  const named = files.filter(({ path }) => path !== null);
  return [
    total,
    ...named.map((file) => `  ${file.path}: ${counted(file.rows, 'row')}, ${bytes(file.bytes)}`),
  ];
}
