import { stageErrors } from './errors/catalogue/stages.js';
import { SluiceError } from './errors/sluice-error.js';

/** An error that says where it happened; one that already does is left as it is. */
export function blamed(error: unknown, where: string, facts: { readonly input?: string }): SluiceError {
  if (error instanceof SluiceError) return error;
  const said = error instanceof Error ? error.message : String(error);
  return stageErrors.stage_failed.function({ what: where, why: said }, { ...facts, cause: error });
}
