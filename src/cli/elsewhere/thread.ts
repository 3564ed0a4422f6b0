import { parentPort, workerData } from 'node:worker_threads';
import { nodeAsPgWants } from '../../core/navigator.js';
import { onlyServes } from '../../program/serving.js';
import type { ThreadData } from '../../run/load/threads/protocol.js';
import { serveThread } from '../../run/load/threads/serve.js';
import { madeAgain, type Recipe } from './recipe.js';

/** A thread that loads parts of a run's flows, of which the command's own thread tells it. */

nodeAsPgWants();
onlyServes();
const data = workerData as ThreadData;
if (parentPort !== null) serveThread(parentPort, data, (around) => madeAgain(data.recipe as Recipe, around));
