import type { Run } from '../../core/run.js';
import type { Sink, Staging } from '../../core/types.js';
import type { Job } from '../job/job.js';

/** Opens an end that is no table; what it makes is kept when the run has done all else. */
export async function openOther(job: Job, end: Sink, run: Run): Promise<Staging> {
  const staging = await end.open(run);
  job.state.ends.push(staging);
  return staging;
}

/** Makes whole what the ends have made, all of them being closed. */
export async function finishOthers({ state }: Job): Promise<void> {
  for (const end of state.ends) await end.finish?.();
}

/** Gives what was finished its name. */
export async function keepOthers({ state }: Job): Promise<void> {
  for (const end of state.ends) await end.keep?.();
}

/**
 * The same of a run that has published, or had no need to: it cannot be failed any more, so a name that is not given is
 * told as a warning. `done`: what stands all the same.
 */
export async function keepAfterAll(job: Job, done: string): Promise<void> {
  await keepOthers(job).catch((error: Error) =>
    job.options.events?.warn?.(`${done}, but not all files that the run has made: ${error.message}`),
  );
}

/** Whether all ends of the run, `of` in number, are open and none is read any more: there is nobody to go on for. */
export function allUnread({ state }: Job, of: number): boolean {
  return state.ends.length === of && state.ends.every((end) => end.unread?.() === true);
}
