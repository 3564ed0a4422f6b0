import type { FindOptions } from '../../../sinks/publish/constraints/find.js';
import { type Company, rowSubject, type Subject } from '../../../sinks/publish/constraints/subject.js';
import type { FlowAccount } from '../../core/accounting.js';
import { qualified } from '../../db/quote.js';
import type { Staged } from '../changes/staging.js';
import type { Surveyed } from '../changes/survey.js';
import type { Job } from '../job/job.js';
import { asStaged } from '../publish/prepare.js';

/** What is loaded, with its books. */
interface Loaded {
  readonly surveyed: Surveyed;
  readonly staged: Staged;
  readonly accounts: readonly FlowAccount[];
}

/** The tables whose rows are changed, and whose loaded rows say where they came from. */
export function subjectsOf(job: Job, { surveyed, staged, accounts }: Loaded): Subject[] {
  const names = { staging: job.names.staging, undo: job.names.old };
  return [...asStaged(surveyed.rows, staged, accounts)].flatMap(([target, facts]) =>
    facts.numbered ? [rowSubject(placeOf(job, target), facts, names)] : [],
  );
}

/** A table's place in the batch, from 1. */
export const placeOf = (job: Job, target: object): number =>
  job.tables.findIndex((table) => table.target === target) + 1;

/** How the subjects of a job are asked. */
export function findOptions(job: Job, surveyed: Surveyed, staged: Staged): FindOptions {
  const { log, publish } = job.options;
  return {
    staging: job.names.staging,
    others: replacedTables(surveyed, staged),
    // Where nothing is published yet, nothing else would tell.
    exclusions: publish === false,
    onQuestion: (text) => log.debug(`asking ${text}`),
    onUnasked: (text, why) => log.info(`${text} cannot be asked before the publish`, { why }),
  };
}

function replacedTables(surveyed: Surveyed, { replaced }: Staged): Company[] {
  return replaced.map(({ target: { schema, table }, schema: staging, table: name }) => ({
    schema,
    table,
    rows: qualified(staging, name),
    replaces: true,
    known: new Set(
      surveyed.replace?.tables
        .find((each) => each.schema === schema && each.table === table)
        ?.columns.map((column) => column.name),
    ),
    adds: true,
  }));
}
