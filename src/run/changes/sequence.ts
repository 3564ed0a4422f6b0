import type { WindowPart } from '../../../sinks/publish/window.js';
import type { Change, LedgerShare } from './change.js';

/** The parts of the publishing transaction. */
export function partsOf(changes: readonly Change[]): readonly WindowPart[] {
  return changes.reduce<readonly WindowPart[]>((parts, change) => change.window(parts), []);
}

/** What the ledger records in the publishing transaction. */
export function ledgerOf(changes: readonly Change[]): Required<LedgerShare> {
  const shares = changes.map((change) => change.ledger());
  return {
    published: shares.flatMap(({ published = [] }) => published),
    undone: shares.flatMap(({ undone = [] }) => undone),
    statements: shares.flatMap(({ statements = [] }) => statements),
  };
}

/**
 * Looks again at what rows were staged for: DDL does not wait for a load. Reasons not to replace a table that have come
 * meanwhile are for prepare to throw. Throws refused `shape` where live has got other columns than staging.
 */
export async function surveyStaged(changes: readonly Change[]): Promise<void> {
  for (const change of changes) if (change.loads) await change.survey();
}

/**
 * Whether a publish would change nothing; it gives up at the first difference, and at the moment `until`, and asks first
 * what is quick to tell.
 */
export async function isUnchanged(changes: readonly Change[], until: number): Promise<boolean> {
  const quickFirst = [...changes].sort((a, b) => a.effort - b.effort);
  for (const change of quickFirst) if (!(await change.isUnchanged(until))) return false;
  return true;
}

/** Makes all of them ready. */
export async function prepareAll(changes: readonly Change[]): Promise<void> {
  for (const change of changes) await change.prepare();
}

/** The error of the window, as the change whose it is knows better. */
export async function explained(changes: readonly Change[], error: unknown): Promise<unknown> {
  for (const change of changes) {
    const told = await change.explain(error);
    if (told !== undefined) return told;
  }
  return error;
}

/** Takes away what nobody needs any more: where one fails, the others go on all the same. Throws the first error. */
export async function tidyAll(changes: readonly Change[]): Promise<void> {
  let first: { readonly error: unknown } | undefined;
  for (const change of changes)
    await change.tidy().catch((error: unknown) => {
      first ??= { error };
    });
  if (first !== undefined) throw (first as { readonly error: unknown }).error;
}

/** Takes back what has been staged and made ready, in the reverse order. */
export async function discardAll(changes: readonly Change[]): Promise<void> {
  for (const change of [...changes].reverse()) await change.discard();
}

/** Leaves what is ready to another command. */
export async function releaseAll(changes: readonly Change[]): Promise<void> {
  for (const change of changes) await change.release();
}
