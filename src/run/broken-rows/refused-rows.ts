import { endOf, rowsBefore } from '../../../sinks/load/encode/ordinal.js';
import { brokenRejection } from '../../../sinks/publish/constraints/breach.js';
import {
  analyzeRefusedSql,
  type RefusedRow,
  readRefused,
  refusedTable,
  settleSql,
} from '../../../sinks/publish/constraints/refused.js';
import { type FlowAccount, type Reasons, sum, tally, tallyAll } from '../../core/accounting.js';
import { accountName, endName, type FlowPlan } from '../../core/flow.js';
import { markOrigin } from '../../core/row.js';
import type { Rejection } from '../../core/run.js';
import type { Job } from '../job/job.js';
import { type TableEnd, tableEnds } from '../load/flow-ends.js';
import { againOf, ReadAgain, repeatableInputs, silent } from '../load/read-again.js';

/** Refused rows held in memory at a time. */
const PAGE = 1_000;

/**
 * Makes rejects of the rows that were taken out of staging because they break a constraint, each as its input had it
 * where the input can be read once more, and gives the accounts with them: rejected by the end of the flow that had taken
 * them. Each is told once.
 */
export async function rejectRefused(
  job: Job,
  flows: readonly FlowPlan[],
  accounts: readonly FlowAccount[],
): Promise<FlowAccount[]> {
  const client = await job.options.database.session();
  const staging = job.names.staging;
  const ends = tableEnds(flows);
  await client.query(analyzeRefusedSql(staging));
  const corrected = [...accounts];
  const repeatable = await repeatableInputs(job);
  for (const [at, end] of ends.entries()) {
    const { source, root } = flows[end.flow] as FlowPlan;
    const given = againOf(job, flows[end.flow] as FlowPlan, repeatable)?.source;
    const records = new ReadAgain(given, silent(job.checkRun()));
    const from = rowsBefore(at);
    const below = rowsBefore(at + 1);
    const rejected: Record<string, number> = {};
    try {
      for (let after = { line: -1, row: 0 }; ; ) {
        const page = await readRefused(client, staging, { after, from, below, limit: PAGE });
        for (const refused of page) {
          const row = markOrigin({ ...refused.loaded }, refused.line ?? undefined);
          const found = refused.line === null ? undefined : await records.at(refused.line);
          // Without stages the loaded row is the record, as the table has it.
          const whole = found ?? (root.stages.length === 0 && root.into !== undefined ? row : undefined);
          const why = rejection(refused, (first) => inputOf(flows, ends, first));
          tally(rejected, why.reason, 1);
          job.rejects.add(
            source.name,
            accountName.end(end.target),
            row,
            why,
            job.state.tracked?.of(end.flow),
            whole,
          );
        }
        const last = page.at(-1);
        if (last === undefined) break;
        after = { line: last.line ?? 0, row: last.row };
        await job.rejects.flushSome();
        await job.state.tracked?.flushSome();
        job.signal.throwIfAborted();
      }
    } finally {
      await records.close();
    }
    corrected[end.flow] = withRejected(corrected[end.flow] as FlowAccount, end, rejected);
  }
  await client.query(`UPDATE ${refusedTable(staging)} SET told = true WHERE NOT told`);
  await job.rejects.flush();
  return corrected;
}

/** Notes that the accounts in the ledger are with the rows that were refused. */
export async function settleRefused(job: Job): Promise<void> {
  const { database } = job.options;
  const { staging } = job.names;
  const [found] = await database.query<{ there: boolean }>(
    'SELECT pg_catalog.to_regclass($1) IS NOT NULL AS there',
    [refusedTable(staging)],
  );
  if (found?.there === true) await database.query(settleSql(staging));
}

const inputOf = (flows: readonly FlowPlan[], ends: readonly TableEnd[], row: number): string | undefined =>
  flows[ends[endOf(row)]?.flow ?? -1]?.source.name;

/** What the reject of a refused row says. `input`: what the input of the loaded row with a number is called. */
function rejection(refused: RefusedRow, input: (row: number) => string | undefined): Rejection {
  const { breach, loaded, row, firstRow, firstLine, message, ...same } = refused;
  const of = firstRow === null || sameEnd(firstRow, row) ? '' : ` of ${input(firstRow) ?? 'another input'}`;
  const first =
    firstLine === null ? 'another loaded row came first' : `the first such row is on line ${firstLine}${of}`;
  return brokenRejection({
    ...same,
    reason: breach,
    row: loaded,
    ...(firstRow === null ? {} : { also: `; ${first}` }),
    ...(message === null ? {} : { message }),
  });
}

const sameEnd = (a: number, b: number) => endOf(a) === endOf(b);

/** The accounts of a flow with rows that one of its ends had taken now `rejected` by it. */
function withRejected(account: FlowAccount, { target, branch }: TableEnd, rejected: Reasons): FlowAccount {
  const rows = sum(rejected);
  if (rows === 0) return account;
  const name = accountName.end(target);
  const stages = account.stages.map((stage) => {
    if (stage.stage !== name || stage.branch !== branch) return stage;
    return { ...stage, out: stage.out - rows, rejected: tallyAll({}, stage.rejected, rejected) };
  });
  // The ends of a fork that lead to one table have a line each in the accounts: in the order in which they were opened.
  let left = rows;
  const sinks = account.sinks.map((sink) => {
    if (sink.role === 'sink' || sink.sink !== endName(target) || left === 0) return sink;
    const gone = Math.min(left, sink.handed);
    left -= gone;
    return {
      ...sink,
      handed: sink.handed - gone,
      counted: sink.counted === null ? null : sink.counted - gone,
    };
  });
  return { ...account, stages, sinks };
}
