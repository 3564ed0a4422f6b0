#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';
import { runCommand } from './program.js';

/** A reader that has gone (`sluice status | head`) is no failure of ours. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
/**
 * V8 lets the heap grow to several times of what is alive before it collects. Rows live shortly and by the
 * million: collecting after every 20 % costs a little CPU and keeps the process small beside a database.
 */
setFlagsFromString('--heap-growing-percent=20');
process.exitCode = await runCommand(process.argv.slice(2));
