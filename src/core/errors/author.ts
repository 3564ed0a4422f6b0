import { type ErrorFacts, SluiceError } from './sluice-error.js';

// For authors of pipelines, whose errors have codes of their own; those of Sluice itself stand in the catalogue.

/** Something broke: exit 1. */
export const failed = (code: string, message: string, facts?: ErrorFacts) =>
  new SluiceError('failed', code, message, facts);

/** The command line or a pipeline's definition is wrong: exit 2. */
export const usage = (code: string, message: string, facts?: ErrorFacts) =>
  new SluiceError('usage', code, message, facts);

/** A check, a validation or a limit said no: exit 3. */
export const refused = (code: string, message: string, facts?: ErrorFacts) =>
  new SluiceError('refused', code, message, facts);

/** Somebody asked us to stop: exit 130. */
export const interrupted = (message = 'interrupted', facts?: ErrorFacts) =>
  new SluiceError('interrupted', 'interrupted', message, facts);
