import { randomInt } from 'node:crypto';
import { workerName } from '../../cluster/dead.js';
import { queueOf } from '../../cluster/queue.js';
import { workQueue } from '../../cluster/work.js';
import type { CopyRequest } from '../../copy/request.js';
import { pipelineErrors } from '../../core/errors/catalogue/pipelines.js';
import type { PgDatabase } from '../../db/connect.js';
import type { Batch } from '../../db/ledger/batches.js';
import type { Session } from '../../program/database.js';
import type { Found } from '../../program/pipeline-file.js';
import { isCommand } from '../../run/given/next-command.js';
import type { Around, MadeAgain } from '../../run/load/threads/serve.js';
import { judged, PartServer } from '../../run/load/workers/serve.js';
import { findPipeline } from '../given/pipelines.js';
import { batchLog } from '../show/log.js';
import { say } from '../show/terminal.js';

/** What a worker may run that copies load. */
const COPY = 'copy';

/** Loads parts until it is stopped, of batches of the pipelines that are `named`. Throws what finding them throws. */
export async function work(
  { database: asked, queue: own, signal }: Session & { readonly queue: PgDatabase | undefined },
  named: readonly string[],
  { jobs, once = false }: { readonly jobs: number; readonly once?: boolean },
): Promise<void> {
  // A signal ends the statements of the command's own sessions; a part that is under way is finished.
  const lock = randomInt(1, 2 ** 31 - 1);
  const database = asked.sibling(workerName(lock));
  const ownQueue = own?.sibling(workerName(lock));
  const allowed = new Map<string, Found>();
  for (const each of named)
    if (each !== COPY) {
      const found = await findPipeline(each);
      allowed.set(found.pipeline.name, found);
    }
  const copies = named.includes(COPY);
  const log = batchLog();
  log.discard();
  // What is under way is finished: the signal is no reason to break a part off.
  const server = new PartServer({ database, log, signal: new AbortController().signal }, (batch, around) =>
    madeFor(batch, around, allowed, copies),
  );
  try {
    await workQueue({
      queue: await queueOf(database, ownQueue),
      lock,
      jobs,
      once,
      signal,
      say,
      judge: judged,
      pipelines: [...allowed.keys(), ...(copies ? [COPY] : [])],
      load: (...part) => server.load(...part),
    });
  } finally {
    await server.close();
    await ownQueue?.close();
    await database.close();
    log.close();
  }
}

/**
 * The pipeline of a batch, out of those that this worker's own command has named: what stands in a database is no reason to
 * run a file.
 */
async function madeFor(
  batch: Batch,
  around: Around,
  allowed: ReadonlyMap<string, Found>,
  copies: boolean,
): Promise<MadeAgain> {
  const request = batch.manifest?.copy as CopyRequest | undefined;
  if (isCommand(batch.pipeline_from) && copies && request !== undefined) {
    const { prepareCopy } = await import('../../copy/prepare.js');
    const { pipeline, from, release } = await prepareCopy(request, around);
    return { pipeline, from, inputs: {}, release };
  }
  const found = allowed.get(batch.pipeline);
  if (found === undefined || isCommand(batch.pipeline_from))
    throw pipelineErrors.no_such_pipeline.unknown({
      wanted: batch.pipeline,
      meant: undefined,
      names: [...allowed.keys()],
    });
  const { resumedInputs } = await import('../given/inputs.js');
  const flags = { input: [], source: undefined, encoding: [], set: [] };
  const inputs = await resumedInputs(around.database, found.pipeline, batch.id, flags);
  return { ...found, inputs, release: async () => {} };
}
