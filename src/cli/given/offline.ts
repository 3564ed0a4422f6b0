import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandErrors } from '../../core/errors/catalogue/command-line.js';
import { EXIT } from '../../core/errors/sluice-error.js';
import { quietRun } from '../../core/quiet-run.js';
import type { Run } from '../../core/run.js';
import { exitCode, tell } from '../show/failure.js';
import { onStopping } from './signals.js';

/** Runs `work` without any database, as withSession does with one: signals stop it, errors are told here. */
export async function offline(work: (run: Run) => Promise<number>): Promise<number> {
  const stop = new AbortController();
  const handle = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(EXIT.interrupted);
    stop.abort(commandErrors.interrupted.bySignal({ signal }));
  };
  const ignore = onStopping(handle);
  const scratch = await mkdtemp(join(tmpdir(), 'sluice-'));
  const none = () => Promise.reject(new Error('this command has no database'));
  const quiet = () => {};
  try {
    return await work(
      quietRun({
        signal: stop.signal,
        log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
        database: { query: none, connect: none },
        scratch,
        share: (_key, make) => make(),
      }),
    );
  } catch (error) {
    tell(error);
    return exitCode(error);
  } finally {
    ignore();
    await rm(scratch, { recursive: true, force: true });
  }
}
