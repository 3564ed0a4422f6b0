import type { Changes } from '../../core/changes.js';
import { count } from './terminal.js';

const TERMS = ['inserted', 'updated', 'unchanged', 'deleted', 'missing', 'suppressed'] as const;

/**
 * What a publish does to the rows of a table, in words: `100 inserted, 507 updated, 49,217 unchanged`. What cannot be
 * known yet is left out; empty where nothing is known, or nothing happens.
 */
export function changesText(changes: Changes | null): string {
  if (changes === null) return '';
  const said = TERMS.flatMap((term) => {
    const rows = changes[term];
    return rows === null || rows === 0 ? [] : [`${count(rows)} ${term}`];
  });
  const kept = changes.deletes_suppressed ?? 0;
  return [...said, ...(kept === 0 ? [] : [`${count(kept)} to be deleted and kept by a trigger`])].join(', ');
}

/** Whether everything about the changes is known: before staging, what becomes of merged rows is not. */
export function isKnown(changes: Changes): boolean {
  return TERMS.every((term) => changes[term] !== null);
}
