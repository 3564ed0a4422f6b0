import { EXIT } from '../../core/errors/sluice-error.js';
import { givenNow } from './next.js';
import { lostOutput } from './output.js';
import { warn } from './terminal.js';

/** Commands whose product is what they write on stdout; they change no data. */
const TELLING: ReadonlySet<string> = new Set(
  'list assess check plan validate restore-check status rejects report export doctor completion'
    .split(' ')
    .concat('db status', 'db url'),
);

/**
 * The exit code of a command that ended with `code`, where stdout could not be written. It says what became of the data;
 * of a command that only tells something, that it was not told. A reader that has gone away has had what it wanted.
 */
export function heard(code: number): number {
  const lost = lostOutput();
  if (lost === undefined || lost.code === 'EPIPE') return code;
  const given = givenNow();
  const telling =
    given === undefined ||
    TELLING.has(given.name) ||
    given.flags.dryRun === true ||
    (given.name === 'mappings' && given.args[1] !== 'import');
  const so = telling ? 'what is there is not all of it' : 'the exit code says what was done';
  warn(`sluice: stdout could not be written: ${lost.message}; ${so}`);
  return telling && code === EXIT.done ? EXIT.failed : code;
}
