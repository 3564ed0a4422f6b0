import { failed } from './errors/author.js';
import { SluiceError } from './errors/sluice-error.js';

/** An error that says where it happened; one that already does is left as it is. */
export function blamed(error: unknown, where: string, facts: { readonly input?: string }): SluiceError {
  if (error instanceof SluiceError) return error;
  const said = error instanceof Error ? error.message : String(error);
  return failed('stage_failed', `${where} failed: ${said}`, {
    ...facts,
    state: 'nothing was published',
    next: 'fix the code that is named, or what it needs',
    cause: error,
  });
}
