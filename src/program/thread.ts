import { parentPort, workerData } from 'node:worker_threads';
import { nodeAsPgWants } from '../core/navigator.js';
import type { ThreadData } from '../run/load/threads/protocol.js';
import { serveThread } from '../run/load/threads/serve.js';
import { madeAgain, type PipelineAgain } from './again.js';
import { pipelineOfFile } from './pipeline-file.js';
import { onlyServes } from './serving.js';

/** A thread that loads parts of a program's run, of which the program's own thread tells it. */

nodeAsPgWants();
onlyServes();
const data = workerData as ThreadData;
if (parentPort !== null)
  serveThread(parentPort, data, (around) => madeAgain(data.recipe as PipelineAgain, around, pipelineOfFile));
