/** What asks a command to stop: Ctrl-C, a supervisor, the end of the terminal or connection that it was typed in. */
export const STOPPING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Calls `handle` at each of them, until the function that it gives is called. A closing terminal may hang up more than
 * once (its shell, then the kernel): what comes after the first signal, and is only a hang-up, is left out, for it is
 * nobody's impatience.
 */
export function onStopping(handle: (signal: NodeJS.Signals) => void): () => void {
  let before = false;
  const heed = (signal: NodeJS.Signals) => {
    if (before && signal === 'SIGHUP') return;
    before = true;
    handle(signal);
  };
  for (const signal of STOPPING) process.on(signal, heed);
  return () => {
    for (const signal of STOPPING) process.off(signal, heed);
  };
}
