import { commandErrors } from './errors/catalogue/command-line.js';

/**
 * `promise`, or interrupted() as soon as `signal` is aborted; the promise itself goes on, and what comes of
 * it then is given to `late` (a session, say, which nobody else would end).
 */
export async function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  late: (value: T) => unknown = () => {},
): Promise<T> {
  promise.catch(() => {});
  const given = () => {
    promise.then(late).catch(() => {});
  };
  if (signal.aborted) {
    given();
    throw commandErrors.interrupted.stopped();
  }
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      given();
      reject(commandErrors.interrupted.stopped());
    };
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
