import { acquireEmbedded } from '../../src/db/embedded/index.js';

// A command of its own that needs the embedded server in the directory argv[2]: it says on stdout what it
// got, holds it until its stdin ends, and releases it.
const server = await acquireEmbedded({ directory: process.argv[2] as string, durable: false });
process.stdout.write(`${JSON.stringify({ url: server.url, startedHere: server.startedHere })}\n`);
for await (const _ of process.stdin);
await server.release();
