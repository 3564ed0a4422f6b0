import type { Command } from 'commander';
import { declareAssess } from './commands/assess.js';
import { declareBackup } from './commands/backup.js';
import { declareCheck } from './commands/check.js';
import { declareCleanup } from './commands/cleanup.js';
import { declareCompletion } from './commands/completion.js';
import { declareCopy } from './commands/copy.js';
import { declareDb } from './commands/db.js';
import { declareDemo } from './commands/demo.js';
import { declareDoctor } from './commands/doctor.js';
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
import { type CommandGroup, commandLineOf } from './root.js';

const GROUPS: readonly CommandGroup[] = [
  { heading: 'Begin:', declares: [declareDemo, declareNew, declareList, declareInit, declareDb] },
  {
    heading: 'Look first, write nothing:',
    declares: [declareDoctor, declareAssess, declareCheck, declarePlan],
  },
  {
    heading: 'Load and publish:',
    declares: [declareRun, declareCopy, declareSwap, declareRollback, declareWorker],
  },
  {
    heading: 'Look at what a batch did:',
    declares: [declareStatus, declareReport, declareRejects, declareValidate, declareCleanup],
  },
  { heading: 'Beside it:', declares: [declareExport, declareBackup, declareMappings, declareCompletion] },
];

/** The whole command line: all commands with their flags, unparsed. */
export function commandTree(): Command {
  return commandLineOf(GROUPS);
}
