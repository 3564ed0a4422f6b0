import { again } from '../../next.js';

// Steps that several errors end with.

export const SEE_SERVER_LOG = again({}, { lead: 'see the server log for why, then' });

export const FREE_SERVER_DISK = again({}, { lead: 'free space on the server, then' });

export const FREE_SCRATCH = again(
  {},
  { lead: 'free space there, or set TMPDIR to a folder on a larger disk; then' },
);

export const SAVE_TO_FILE = 'save the input to a file and name that file';

export const DID_YOU_MEAN = (name: string) => `did you mean ${name}?`;
