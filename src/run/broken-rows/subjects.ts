import type { FindOptions } from '../../../sinks/publish/constraints/find.js';
import { type Company, rowSubject, type Subject } from '../../../sinks/publish/constraints/subject.js';
import { qualified } from '../../db/quote.js';
import type { JobChanges } from '../changes/job-changes.js';
import type { Replace } from '../changes/replace/replace.js';
import type { Job } from '../job/job.js';

/** The tables whose rows are changed, and whose loaded rows say where they came from. */
export function subjectsOf(job: Job, { rows }: JobChanges): Subject[] {
  return [...rows.facts].flatMap(([target, facts]) =>
    facts.numbered ? [rowSubject(placeOf(job, target), facts, rows.names)] : [],
  );
}

/** A table's place in the batch, from 1. */
export const placeOf = (job: Job, target: object): number =>
  job.tables.findIndex((table) => table.target === target) + 1;

/** How the subjects of a job are asked. */
export function findOptions(job: Job, { replace }: JobChanges): FindOptions {
  const { log, publish } = job.options;
  return {
    staging: job.names.staging,
    others: replacedTables(replace),
    // Where nothing is published yet, nothing else would tell.
    exclusions: publish === false,
    onQuestion: (text) => log.debug(`asking ${text}`),
    onUnasked: (text, why) => log.info(`${text} cannot be asked before the publish`, { why }),
  };
}

function replacedTables({ surveyed, staged }: Replace): Company[] {
  return staged.map(({ target: { schema, table }, schema: home, table: name }) => ({
    schema,
    table,
    rows: qualified(home, name),
    replaces: true,
    known: new Set(
      surveyed?.tables
        .find((each) => each.schema === schema && each.table === table)
        ?.columns.map((column) => column.name),
    ),
    adds: true,
  }));
}
