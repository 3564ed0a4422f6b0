import { again, command } from '../../next.js';
import { installing } from '../../package.js';
import { misuse, refusal, topic } from './entry.js';
import { NOTHING_WRITTEN } from './state.js';

/** Errors of loading by workers on other hosts. */
export const clusterErrors = topic({
  no_queue_package: misuse(() => ({
    says: 'workers take their parts out of a queue of the package graphile-worker, which is not installed here',
    next: [installing('graphile-worker'), again({ drop: ['workers'] }, { lead: 'or without workers' })],
  })),
  queue_not_ours: refusal(({ schema, role }: { schema: string; role: string }) => ({
    says: `the schema ${schema}, where the queue of the parts is, holds things of roles that ${role} does not rely on`,
    state: NOTHING_WRITTEN,
    next: 'have its owner drop it, or give it to this role; a batch that loads needs it, nothing else does',
  })),
  queue_behind_pooler: refusal(() => ({
    says: 'the queue cannot be reached through this pooler: it waits for notifications, in sessions with settings of their own',
    state: NOTHING_WRITTEN,
    next: 'name a database for the queue on the server itself (--queue)',
  })),
  /** A part that somebody else has loaded already. */
  part_done: refusal(({ flow, start }: { flow: number; start: number }) => ({
    says: `the part of flow ${flow} that begins at ${start} is loaded already`,
    state: 'what this worker had of it was rolled back',
    next: 'nothing: the rows that are loaded are the same',
  })),
  /** A part of a batch that takes none any more. `why`: what has become of it. */
  part_closed: refusal(({ batch, why }: { batch: string; why: string }) => ({
    says: `batch ${batch} takes no part any more: ${why}`,
    state: 'what this worker had of it was rolled back',
    next: command('status', [batch]),
  })),
});
