import type { Reasons } from '../../core/accounting.js';
import type { FrequentError, RecordSummary } from '../../core/record-summary.js';
import { table } from './table.js';
import { count } from './terminal.js';

/** Records by type and the errors met most, as lines; none where there is nothing to say. */
export function recordLines({ types, errors }: RecordSummary): string[] {
  return [...typeLines(types), ...errorLines(errors)];
}

function typeLines(types: RecordSummary['types']): string[] {
  if (types.length === 0) return [];
  const rows = types.map(({ type, total, success, error, skipped, errors, skips }) => [
    type.replaceAll('_', ' '),
    count(total),
    count(success),
    count(error),
    reasons(errors),
    count(skipped),
    reasons(skips),
  ]);
  return [
    '',
    ...table(['records', 'read', 'success', 'error', '', 'skipped', ''], rows, {
      right: [1, 2, 3, 5],
      indent: '  ',
    }),
  ];
}

function errorLines(errors: readonly FrequentError[]): string[] {
  if (errors.length === 0) return [];
  const rows = errors.map(({ reason, column, rows: met, example }) => [
    count(met),
    `${reason.replaceAll('_', ' ')}${column === null ? '' : ` (${column})`}`,
    `${example.input}${example.line === null ? '' : `, line ${example.line}`}${example.source_id === null || example.source_id === '' ? '' : ` (${example.source_id})`}: ${example.message}`,
  ]);
  return ['', ...table(['errors', 'most frequent', 'for example'], rows, { right: [0], indent: '  ' })];
}

function reasons(by: Reasons): string {
  const named = Object.entries(by).sort((a, b) => b[1] - a[1]);
  if (named.length === 0) return '';
  return named.map(([reason, rows]) => `${reason.replaceAll('_', ' ')} ${count(rows)}`).join(', ');
}
