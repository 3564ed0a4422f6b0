import { type ErrorFacts, refused, usage } from '../core/errors.js';
import type { Branch, FlowPlan } from '../core/flow.js';
import { again, command } from '../core/next.js';
import type { Finding, Pipeline } from '../core/pipeline.js';
import { markOrigin, originOf, type Row } from '../core/row.js';
import type { Database } from '../core/run.js';
import type { Source } from '../core/types.js';
import { type Batch, findBatch } from '../db/ledger/batches.js';
import { requireLedger } from '../db/ledger/open.js';
import { claimRejects, type RejectFate, rejectFates } from '../db/ledger/rejects.js';
import { formatOf } from '../sources/file.js';
import { NOT_FED_BACK, rerun } from './again.js';
import { MASKED } from './masking.js';
import { isRejectColumn, REJECT_COLUMNS, unescapeFormula } from './reject-columns.js';

/**
 * The corrected rejects of a batch as inputs (`--only-rejects-of`): each row says by its `sluice_reject`
 * which one it is, so that none is published twice and nothing else comes in with them.
 */
export class FedBack {
  readonly inputs: Readonly<Record<string, Source>>;
  readonly #read = new Set<number>();

  private constructor(
    readonly batch: string,
    private readonly fates: ReadonlyMap<number, RejectFate>,
    /** What the rejects of `batch` call its inputs, by their names in the pipeline; empty where it is not known. */
    private readonly labels: Readonly<Record<string, string>>,
    given: Readonly<Record<string, Source>>,
  ) {
    this.inputs = Object.fromEntries(
      Object.entries(given).map(([name, source]) => [name, this.#checked(name, source)]),
    );
  }

  /**
   * Looks whether rejects of `batch` may be published by themselves. Only beside rows that the batch has
   * published, and only by modes that leave those alone. Throws usage and refused errors with the way out.
   */
  static async open(
    database: Database,
    pipeline: Pipeline,
    batch: string,
    given: Readonly<Record<string, Source>>,
  ): Promise<FedBack> {
    await requireLedger(database);
    const of = await findBatch(database, batch);
    assertSuits(pipeline, of, given);
    if (Object.keys(given).length === 0)
      throw usage('no_corrected_rows', '--only-rejects-of reads corrected rows from a file', {
        next: [
          command('rejects', [batch], { format: 'csv' }, { to: 'fixed.csv' }),
          again({ flags: { source: 'fixed.csv' } }, { lead: 'correct it, then' }),
        ],
      });
    const fates = await rejectFates(database, batch);
    if (fates.length === 0)
      throw usage('no_rejects', `batch ${batch} rejected nothing`, {
        next: command('status', [batch]),
      });
    const labels = rejectLabels(of);
    return new FedBack(batch, new Map(fates.map((fate) => [fate.number, fate])), labels, given);
  }

  /** The flows that read a corrected file; what the others read is published already. */
  flows(all: readonly FlowPlan[]): FlowPlan[] {
    const given = new Set(Object.values(this.inputs));
    return all.filter((flow) => given.has(flow.source));
  }

  /** Notes in the ledger which rejects the rows of batch `by` are. */
  async claim(database: Database, by: string): Promise<void> {
    await claimRejects(database, this.batch, [...this.#read], by);
  }

  #checked(name: string, source: Source): Source {
    const escaped = source.format !== 'json' && !['json', 'jsonl'].includes(formatOf(source.name) ?? 'csv');
    const take = (row: Row) => this.#take(row, name, source.name, escaped);
    const read: Source['read'] = async function* (run) {
      for await (const chunk of source.read(run)) yield chunk.map(take);
    };
    return {
      name: source.name,
      kind: source.kind,
      ...(source.format === undefined ? {} : { format: source.format }),
      ...(source.columns === undefined ? {} : { columns: source.columns }),
      ...(source.check === undefined
        ? {}
        : { check: (run) => source.check?.(run) as Promise<readonly string[]> }),
      read,
    };
  }

  /** The row as its input would have it. */
  #take(row: Row, input: string, file: string, escaped: boolean): Row {
    const line = originOf(row);
    const no = (code: string, message: string, facts: ErrorFacts) =>
      refused(code, message, { input: file, ...(line === undefined ? {} : { line }), ...facts });
    const told = row[REJECT_COLUMNS.number];
    const number = Number(told ?? Number.NaN);
    const fate = this.fates.get(number);
    if (fate === undefined)
      throw no('not_a_reject', `the row is not one of the rejects of batch ${this.batch}`, {
        column: REJECT_COLUMNS.number,
        value: told ?? null,
        next: command(
          'rejects',
          [this.batch],
          { format: 'csv' },
          {
            lead: `correct the file that this gives, and leave its column ${REJECT_COLUMNS.number} as it is`,
            to: 'fixed.csv',
          },
        ),
      });
    const of = Object.keys(this.labels).find((name) => this.labels[name] === fate.input);
    if (of !== undefined && of !== input)
      throw no('other_input', `reject ${number} is a row of the input ${of}, and is given to ${input}`, {
        next: command(
          'rejects',
          [this.batch],
          { into: 'fixed' },
          { lead: 'give every input the file of its own rejects' },
        ),
      });
    const by = fate.corrected_by;
    if (by !== null)
      throw no('already_fed_back', `reject ${number} was fed back already, with batch ${by}`, {
        next: [
          'take the row out of the file',
          command('rollback', [by], {}, { lead: 'or undo that batch first' }),
        ],
      });
    if (this.#read.has(number))
      throw no('reject_twice', `reject ${number} stands twice in the file`, {
        next: 'a reject is one row: take the other out',
      });
    this.#read.add(number);
    const columns = Object.entries(row).filter(([column]) => !isRejectColumn(column));
    if (columns.every(([, value]) => value === null || value === ''))
      throw no('not_corrected', `reject ${number} has no values yet`, {
        next: `fill its columns in (${REJECT_COLUMNS.raw} shows what the input had), or take the row out`,
      });
    const masked = columns.find(([, value]) => value === MASKED);
    if (masked !== undefined)
      throw no('still_masked', `${masked[0]} of reject ${number} is masked`, {
        column: masked[0],
        next: 'put the value in; the ledger does not have it',
      });
    const made = columns.map(([column, value]) => [
      column,
      escaped && typeof value === 'string' ? unescapeFormula(value) : value,
    ]);
    return markOrigin(Object.fromEntries(made), line);
  }
}

/** What the rejects of a batch call its inputs, by their names in the pipeline. */
export function rejectLabels({ run_record }: Pick<Batch, 'run_record'>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(run_record?.inputs ?? {}).flatMap(([name, { label }]) =>
      label === undefined ? [] : [[name, label]],
    ),
  );
}

/**
 * A row that is in two branches of a fork may have been rejected by one and published by the other; added
 * again, it would be there twice.
 */
export function feedBackFindings(flows: readonly FlowPlan[]): Finding[] {
  const appends = ({ into, fork = [] }: Branch): boolean =>
    (into !== undefined && 'kind' in into && into.mode === 'append') || fork.some(appends);
  const forks = flows.filter(({ root }) => root.fork !== undefined && root.fork.length > 1 && appends(root));
  return forks.map(({ source }) => ({
    severity: 'error',
    message: `rows of ${source.name} go to several tables, one of which is appended to: rows that are there already would be added again`,
    next: 'insert the corrected rows into the tables that lack them; a merge instead of an append would make this safe',
  }));
}

function assertSuits(pipeline: Pipeline, of: Batch, given: Readonly<Record<string, Source>>): void {
  const { id } = of;
  if (of.pipeline !== pipeline.name)
    throw usage('other_pipeline', `batch ${id} was a run of "${of.pipeline}", not of "${pipeline.name}"`, {
      next: rerun(of, {
        drop: NOT_FED_BACK,
        flags: { source: Object.values(given)[0]?.name ?? 'fixed.csv', onlyRejectsOf: id },
      }),
    });
  if (of.status !== 'completed')
    throw refused(
      'not_published',
      `batch ${id} is ${of.status.replace('_', ' ')}: its other rows are not live, and its rejects alone would be a part of them`,
      {
        state: 'nothing was written',
        next:
          of.status === 'staged'
            ? command('swap', [id], {}, { lead: 'publish it first' })
            : [
                command('rejects', [id], {}, { note: 'the rows that were set aside' }),
                rerun(of, {}, { lead: 'correct them in the input, then run it whole' }),
                rerun(
                  of,
                  { flags: { maxRejects: String(Math.max(1, of.error_count)) } },
                  { lead: 'or publish the others first' },
                ),
              ],
      },
    );
  for (const { table, mode, missingRows } of Object.values(pipeline.tables)) {
    if (mode !== 'replace' && missingRows !== 'delete') continue;
    const why =
      mode === 'replace'
        ? `${table} is replaced as a whole: its rejects alone would take the place of all its rows`
        : `rows of ${table} that staging lacks are deleted: its rejects alone would delete all others`;
    throw refused('whole_table', why, {
      table,
      state: 'nothing was written',
      next: [
        command('rejects', [id], {}, { note: 'their lines' }),
        rerun(of, {}, { lead: 'correct the rows in the input, then run it whole' }),
      ],
    });
  }
}
