import { commandLine } from '../../core/command.js';

/** The command that prints the URL of the embedded server. */
export const EMBEDDED_URL = commandLine({ name: 'db url', args: [], flags: {} });

/** How a URL names a database of the embedded server: `embedded:NAME`. */
export const EMBEDDED_SCHEME = 'embedded:';
