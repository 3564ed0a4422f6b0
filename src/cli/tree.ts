import type { Command } from 'commander';
import { declareAssess } from './commands/assess.js';
import { declareBackup } from './commands/backup.js';
import { declareCheck } from './commands/check.js';
import { declareCleanup } from './commands/cleanup.js';
import { declareCopy } from './commands/copy.js';
import { declareDb } from './commands/db.js';
import { declareDemo } from './commands/demo.js';
import { declareExport } from './commands/export.js';
import { declareInit } from './commands/init.js';
import { declareList } from './commands/list.js';
import { declareMappings } from './commands/mappings.js';
import { declareNew } from './commands/new.js';
import { declarePlan } from './commands/plan.js';
import { declareRejects } from './commands/rejects.js';
import { declareReport } from './commands/report.js';
import { declareRollback } from './commands/rollback.js';
import { declareRun } from './commands/run.js';
import { declareStatus } from './commands/status.js';
import { declareSwap } from './commands/swap.js';
import { declareValidate } from './commands/validate.js';
import { declareWorker } from './commands/worker.js';
import { commandLineOf } from './root.js';

/** The whole command line: all commands with their flags, unparsed. */
export function commandTree(): Command {
  return commandLineOf([
    declareList,
    declareNew,
    declareAssess,
    declareBackup,
    declareCheck,
    declarePlan,
    declareRun,
    declareCopy,
    declareSwap,
    declareExport,
    declareValidate,
    declareRollback,
    declareStatus,
    declareWorker,
    declareRejects,
    declareReport,
    declareMappings,
    declareCleanup,
    declareDemo,
    declareInit,
    declareDb,
  ]);
}
