import type { Quality, QualityQuestion } from '../../core/assessment.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import { endsOf, type FlowPlan } from '../../core/flow.js';
import type { Finding } from '../../core/pipeline.js';
import { plural } from '../../core/plural.js';
import type { ResubmitFacts } from '../../db/ledger/run-manifest.js';
import { sqlstateOf } from '../../db/server-error.js';
import { newerThanTested } from '../../db/server-version.js';
import { fromFiles } from '../../sources/old-system.js';
import { JobChanges } from '../changes/job-changes.js';
import { futureColumns } from '../changes/missing-tables.js';
import { endsAsking } from '../end/failure.js';
import { mappingFindings } from '../given/mappings.js';
import type { WholePlan } from '../given/publish-plan.js';
import { publishes } from '../given/publishes.js';
import type { Columns } from '../given/tables.js';
import { checkContext, liveName } from '../job/contexts.js';
import type { Job } from '../job/job.js';
import { recordFindings } from '../records/kinds.js';
import { resubmitFacts } from '../resubmit/facts.js';
import { allPublishedFindings } from './all-published.js';
import { columnFindings } from './columns.js';
import { distributedFindings } from './distributed.js';
import { asFinding, assertChecked, type NamedFinding } from './findings.js';
import { planOf } from './plan-of.js';
import { rightsFindings } from './rights.js';
import { slowUndoFindings } from './slow-rollback.js';
import { swapFindings } from './try-swap.js';

/** What the checks have learnt; the phases after them build on it. */
export interface Checked {
  readonly plan: WholePlan;
  readonly findings: readonly NamedFinding[];
  /** The names of all questions that were asked. */
  readonly asked: readonly string[];
  readonly flows: readonly FlowPlan[];
  /** What decides how its rejects are resubmitted. */
  readonly resubmit: ResubmitFacts;
  readonly columns: Columns;
  /** What the publish changes, surveyed as far as nothing stands against it. */
  readonly changes: JobChanges;
}

/**
 * Asks everything that can be asked before anything is written: whether inputs are there and have their
 * columns, whether the tables have the pipeline's columns and can be published as it wants, and the
 * pipeline's own checks. An error of one question does not keep the others from being asked. `runs`: what could not be
 * asked now will show, and needs no word.
 */
export async function checkJob(job: Job, runs = false): Promise<Checked> {
  const findings: NamedFinding[] = [];
  const asked = new Set<string>();
  const ask = async (name: string, work: () => Promise<readonly Finding[]>) => {
    asked.add(name);
    try {
      for (const finding of await work()) findings.push({ name, finding });
    } catch (error) {
      if (!(error instanceof SluiceError) || endsAsking(error)) throw error;
      findings.push({ name, finding: asFinding(error) });
    }
  };

  await ask('field mappings', async () => mappingFindings(job));
  // Flows are built out of mappings: wrong ones are no ground to build on.
  assertChecked({ findings });
  const { all, flows } = flowsOf(job);
  // Inputs that no flow begins with are read by a stage.
  const used = new Set(flows.map((flow) => flow.source));
  const unused = new Set(all.map((flow) => flow.source).filter((source) => !used.has(source)));
  for (const [name, source] of Object.entries(job.inputs)) {
    if (source.check !== undefined && !unused.has(source))
      await ask(`input ${name}`, async () => {
        const said = (await source.check?.(job.checkRun())) ?? [];
        return said.map((message) => ({ severity: 'note', message }));
      });
  }
  const columns: Columns = new Map();
  for (const { table, sql } of job.missing)
    await ask(`making ${table.schema}.${table.table}`, async () => {
      columns.set(table.target, await futureColumns(job.options.database, table, sql));
      return [];
    });
  for (const table of job.tables.filter((each) => each.missing !== true))
    await ask(`columns of ${table.schema}.${table.table}`, () => columnFindings(job, table, columns));
  if (job.pipeline.records !== undefined) await ask('records', async () => recordFindings(job, columns));
  for (const end of new Set(flows.flatMap(({ root }) => endsOf(root))))
    if ('check' in end)
      await ask(`file ${end.name}`, async () => {
        await end.check?.(job.checkRun());
        return [];
      });
  const changes = new JobChanges(job);
  const toPublish = async () => {
    await ask('rights', async () => [...(await rightsFindings(job)), ...(await changes.code.survey())]);
    await ask('distributed tables', () => distributedFindings(job));
    findings.push(...(await serverFindings(job)));
    if (findings.some(({ name, finding }) => name !== 'rights' && finding.severity !== 'note')) return;
    for (const change of changes.all)
      if (change !== changes.code) await ask(change.question, () => change.survey());
    await ask('publishing', async () => [
      ...(await slowUndoFindings(job)),
      ...(changes.rows.facts.size === 0 ? [] : await allPublishedFindings(job)),
      ...(await swapFindings(job, changes.replace, runs)),
    ]);
  };
  if (publishes(job.pipeline)) await toPublish();
  const context = checkContext(job);
  const sound = findings.every(({ finding }) => finding.severity !== 'error');
  for (const check of job.pipeline.checks ?? [])
    await ask(check.name, () => check.ask(context).catch((error: unknown) => unasked(error, sound)));

  for (const question of qualityQuestions(job))
    await ask(question.name, async () => qualityFindings(question, await question.ask(await job.old())));

  return {
    plan: planOf(job, changes, flows),
    findings,
    asked: [...asked],
    flows: job.remembering(flows),
    resubmit: resubmitFacts(job.pipeline, all, (flow) => job.labelOf(flow.source) ?? flow.source.name),
    columns,
    changes,
  };
}

/** The flows of the pipeline, and those that are followed: where rejects are resubmitted, theirs. */
function flowsOf(job: Job): { readonly all: readonly FlowPlan[]; readonly flows: readonly FlowPlan[] } {
  const all = job.pipeline.flows({
    inputs: job.inputs,
    tables: job.pipeline.tables,
    settings: job.settings,
    mappings: job.mappings,
    from: job.options.from ?? job.pipeline.name,
    live: (name) => liveName(job, name),
  });
  return { all, flows: job.resubmitted?.flows(all) ?? all };
}

/** The flows of a job as they are followed, without any question. */
export function flowsToRead(job: Job): FlowPlan[] {
  return job.remembering(flowsOf(job).flows);
}

/**
 * What reading the rows of a job takes, without the questions that only a run has. Throws, in the words of a check,
 * where mappings, tables or columns are not as the pipeline needs them.
 */
export async function readyToRead(job: Job): Promise<Pick<Checked, 'flows' | 'columns' | 'changes'>> {
  const faults = await mappingFindings(job);
  assertChecked({ findings: faults.map((finding) => ({ name: 'field mappings', finding })) });
  const flows = flowsToRead(job);
  const columns: Columns = new Map();
  const findings: NamedFinding[] = [];
  for (const { table, sql } of job.missing)
    columns.set(table.target, await futureColumns(job.options.database, table, sql));
  for (const table of job.tables.filter(({ missing }) => missing !== true))
    for (const finding of await columnFindings(job, table, columns))
      findings.push({ name: `columns of ${table.schema}.${table.table}`, finding });
  assertChecked({ findings });
  const changes = new JobChanges(job);
  await changes.replace.survey();
  await changes.rows.survey();
  return { flows, columns, changes };
}

/** A note on a server that is newer than what Sluice is tested on. */
async function serverFindings({ options }: Job): Promise<NamedFinding[]> {
  const [server] = await options.database.query<{ version: string }>(
    "SELECT pg_catalog.current_setting('server_version') AS version",
  );
  const message = newerThanTested(() => server?.version);
  return message === undefined ? [] : [{ name: 'server', finding: { severity: 'note', message } }];
}

/** The part of `checkJob` that concerns the tables: for staging that is loaded already. */
export async function checkTables(
  job: Job,
  changes: JobChanges,
): Promise<Pick<Checked, 'findings' | 'columns'>> {
  const columns: Columns = new Map();
  const findings: NamedFinding[] = [];
  for (const table of job.tables) {
    const name = `columns of ${table.schema}.${table.table}`;
    for (const finding of await columnFindings(job, table, columns)) findings.push({ name, finding });
  }
  for (const finding of await rightsFindings(job)) findings.push({ name: 'rights', finding });
  for (const change of changes.all)
    for (const finding of await change.survey()) findings.push({ name: change.question, finding });
  return { findings, columns };
}

/**
 * What becomes of a pipeline's own question whose statement the server refuses. Where tables or inputs are
 * found wanting already, that is why, and is said; else it is a finding of its own.
 */
function unasked(error: unknown, sound: boolean): Finding[] {
  // SQLSTATE class 42: a table, column or right that the statement needs is not there.
  if (sqlstateOf(error)?.startsWith('42') !== true) throw error;
  if (!sound) return [];
  return [
    {
      severity: 'error',
      message: `the question could not be asked: ${(error as Error).message}`,
      next: 'check that --database-url names the right database, with the schema that the pipeline is for',
    },
  ];
}

/** What the pipeline has assessed, as far as it is a question; there is nobody to ask where the inputs are files. */
function qualityQuestions(job: Job): QualityQuestion[] {
  if (fromFiles(job.inputs) || job.resubmitted !== undefined) return [];
  return (job.pipeline.assess?.questions ?? []).filter((question) => question.kind !== 'figures');
}

function qualityFindings(question: QualityQuestion, { offenders, of, examples }: Quality): Finding[] {
  if (offenders === 0) return [];
  return [
    {
      severity: question.severity,
      message: `${question.summary}: not so in ${offenders} of ${plural(of, 'row')}`,
      details: examples,
      ...(question.next === undefined ? {} : { next: question.next }),
    },
  ];
}
