#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { Command, CommanderError } from 'commander';
import { EXIT } from '../core/errors.js';
import { packageVersion } from '../core/package.js';
import { declareCheck } from './check.js';
import { declareCleanup } from './cleanup.js';
import { declareCopy } from './copy.js';
import { declareDb } from './db.js';
import { declareDemo } from './demo.js';
import { exitCode, tell } from './failure.js';
import { declareInit } from './init.js';
import { declareList } from './list.js';
import { declarePlan } from './plan.js';
import { declareRejects } from './rejects.js';
import { declareReport } from './report.js';
import { declareRollback } from './rollback.js';
import { declareRun } from './run.js';
import { declareStatus } from './status.js';
import { declareSwap } from './swap.js';
import { hush } from './terminal.js';

const EXIT_CODES = `
Exit codes: 0 done; 1 failed, nothing published; 2 wrong usage; 3 a check, validation or reject limit
refused, nothing published; 4 published, with rejects within the limit; 130 interrupted, nothing published.

Start here: sluice demo lot-consolidation`;

function program(): Command {
  const root = new Command('sluice')
    .description(
      'Streams rows out of old systems into PostgreSQL staging tables and swaps them into live, all at once.',
    )
    .version(packageVersion)
    .addHelpText('after', EXIT_CODES)
    .showSuggestionAfterError(true)
    .configureHelp({ showGlobalOptions: false })
    .exitOverride();
  for (const declare of [
    declareList,
    declareCheck,
    declarePlan,
    declareRun,
    declareCopy,
    declareSwap,
    declareRollback,
    declareStatus,
    declareRejects,
    declareReport,
    declareCleanup,
    declareDemo,
    declareInit,
    declareDb,
  ])
    declare(root);
  for (const command of root.commands) command.exitOverride();
  root.hook('preAction', (_, command) => {
    if (command.opts().quiet === true) hush();
  });
  return root;
}

async function main(): Promise<number> {
  // .env never overrides what is set: process.loadEnvFile keeps existing variables.
  if (existsSync('.env')) process.loadEnvFile('.env');
  try {
    await program().parseAsync();
    return Number(process.exitCode ?? EXIT.done);
  } catch (error) {
    // Commander has already said what was wrong; help and --version are no mistakes.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    tell(error);
    return exitCode(error);
  }
}

/** A reader that has gone (`sluice status | head`) is no failure of ours. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
/**
 * V8 lets the heap grow to several times of what is alive before it collects. Rows live shortly and by the
 * million: collecting after every 20 % costs a little CPU and keeps the process small beside a database.
 */
setFlagsFromString('--heap-growing-percent=20');
process.exitCode = await main();
