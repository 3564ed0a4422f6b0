import type { Run } from '../../core/run.js';

/** A statement, or what is asked for it before each check and each reading. */
export type QueryText = string | ((run: Run) => Promise<string>);
