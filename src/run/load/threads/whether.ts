import { isPlainLine } from '../../../core/cuttable.js';
import type { Cut } from '../../../core/parts.js';
import type { MakingAgain } from '../../given/options.js';
import type { Job } from '../../job/job.js';
import type { InParts } from '../in-parts.js';
import { ThreadPool } from './pool.js';

/**
 * The threads that load a flow in parts, as the command wants; undefined where this one does it. Where threads were asked
 * for and cannot help, says why.
 */
export async function threadsFor(job: Job, given: InParts, cut: Cut): Promise<ThreadPool | undefined> {
  const { threads = 0 } = job.options;
  if (threads === 0) return undefined;
  const why = hindrance(job, given, cut);
  if (why === undefined && job.options.again !== undefined) return poolOf(job, job.options.again);
  job.options.events?.note?.(`${given.plan.source.name} is loaded without threads: ${why}`);
  return undefined;
}

/** All flows of a run share its threads, which end with it. */
function poolOf(job: Job, again: MakingAgain): Promise<ThreadPool> {
  return job.share(
    'threads of the load',
    async () => new ThreadPool(job, again),
    (pool) => pool.close(),
  );
}

function hindrance(job: Job, { plan }: InParts, cut: Cut): string | undefined {
  const { again, database, onlyRejectsOf } = job.options;
  if (onlyRejectsOf !== undefined) return 'corrected rejects are few';
  if (again === undefined)
    return 'its pipeline or an input was made by a program, and no thread could make it again';
  if (!isPlainLine(plan)) return 'its stages group or number rows, or it has several ends';
  // The one copy of an SQLite file, and what a query sees, are this process's.
  if (plan.source.kind !== 'file' && plan.source.kind !== 'stdin')
    return 'only files and stdin are handed to threads';
  if (plan.source.partReader === undefined) return 'no other thread could read parts of it';
  // The text itself goes to the server, which is what takes the time.
  if (cut.csv !== undefined && plan.root.stages.length === 0)
    return 'it has no stages, and its text goes to the server as it is';
  if ((database.address.connection?.places.length ?? 1) > 1)
    return 'the database is named by several servers, and a thread might meet another one';
  return undefined;
}
