import { patienceUntil } from '../../src/db/patience.js';

/** That of a run that nobody asks to stop. */
export const PATIENT = patienceUntil(new AbortController().signal);
