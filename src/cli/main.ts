#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';
import { EXIT } from '../core/errors/sluice-error.js';
import { nodeAsPgWants } from '../core/navigator.js';
import { STOPPING } from './given/signals.js';
import { endureOutput } from './show/output.js';
import { asksVersion, printVersion } from './version.js';

endureOutput();
/**
 * V8 lets the heap grow to several times of what is alive before it collects. Rows live shortly and by the
 * million: collecting after every 20 % costs a little CPU and keeps the process small beside a database.
 */
setFlagsFromString('--heap-growing-percent=20');
nodeAsPgWants();
let done = false;
let stopped = false;
/**
 * A command that works on a database stops in an orderly way. Where none listens, before it or after it, the signal
 * ends the process; but once the command is done, by the code that says what it did.
 */
for (const signal of STOPPING)
  process.on(signal, () => {
    stopped = true;
    if (done) process.exit();
    if (process.listenerCount(signal) === 1) process.exit(EXIT.interrupted);
  });
const args = process.argv.slice(2);
process.exitCode = asksVersion(args)
  ? await printVersion()
  : await (await import('./program.js')).runCommand(args);
done = true;
/** A name that nobody resolves, say, keeps a process whose work is over; it was asked to stop. */
if (stopped) setTimeout(() => process.exit(), 300).unref();
