import { type Command, Option } from 'commander';
import { EXIT, usage } from '../core/errors.js';
import { type DatabaseFlags, withDatabase } from './flags.js';
import type { Session } from './session.js';

/** Fetched together. */
const PAGE = 2_000;

interface RejectsFlags extends DatabaseFlags {
  readonly format: 'text' | 'csv' | 'jsonl';
  readonly input?: string;
}

const FEED_BACK = `
A file of them (--format csv or jsonl) can be corrected and fed back:
  sluice rejects 7 --format csv > fixed.csv
  sluice run P --source fixed.csv --only-rejects-of 7
Its rows are as the input had them; the columns sluice_… behind them are not read as data, but
sluice_reject says which reject a row is, and must stay. Cells that a spreadsheet would run as
formulas begin with an apostrophe, which is taken away again.`;

/** `sluice rejects B` */
export function declareRejects(root: Command): void {
  withDatabase(root.command('rejects').argument('<batch>', 'its id'))
    .description('the rows that a batch set aside, with line, column, value and reason')
    .addOption(
      new Option('--format <format>', 'csv, jsonl: the rows themselves, to be corrected')
        .choices(['text', 'csv', 'jsonl'])
        .default('text'),
    )
    .option('--input <name>', 'only of this input, as the messages name it')
    .addHelpText('after', FEED_BACK)
    .action(async (id: string, flags: RejectsFlags) => {
      const { withSession } = await import('./session.js');
      process.exitCode = await withSession(flags.databaseUrl, (session) => rejects(session, id, flags));
    });
}

async function rejects({ database, signal }: Session, id: string, flags: RejectsFlags): Promise<number> {
  const { findBatch } = await import('../db/ledger/batches.js');
  const { countRejects, readRejects, rejectColumns, rejectInputs } = await import('../db/ledger/rejects.js');
  const { requireLedger } = await import('../db/ledger/open.js');
  const { csvHeader, csvLine, jsonLine } = await import('./rejects-file.js');
  const { describeReject } = await import('./reject-text.js');
  const { count, printed, say, table } = await import('./terminal.js');
  await requireLedger(database);
  const batch = await findBatch(database, id);
  const reasons = await countRejects(database, id);
  if (reasons.length === 0) {
    say(`batch ${id} rejected nothing`);
    return EXIT.done;
  }
  say(
    table(
      ['reason', 'column', 'rows'],
      reasons.map((each) => [each.reason, each.column_name ?? '', count(each.rows)]),
      { right: [2] },
    ),
  );
  say();
  const inputs = await rejectInputs(database, id);
  const input = whichInput(inputs, flags);
  let columns: string[] = [];
  if (flags.format === 'csv') {
    const known = batch.input_columns?.[input as string] ?? [];
    columns = [...new Set([...known, ...(await rejectColumns(database, id, input as string))])];
    await printed(csvHeader(columns));
  }
  let stored = 0;
  let unknown = 0;
  const seen = new Set<string>();
  for (let after = 0; ; ) {
    signal.throwIfAborted();
    const page = await readRejects(database, id, after, PAGE);
    const lines: string[] = [];
    for (const reject of page) {
      if (input !== undefined && reject.input !== input) continue;
      if (flags.format === 'text') {
        lines.push(flags.json === true ? JSON.stringify(reject) : describeReject(reject));
        continue;
      }
      if (reject.raw === null) unknown += 1;
      // Two tables may have rejected one row: it is one row to correct.
      const row = `${reject.line} ${reject.input}`;
      if (reject.line !== null && seen.has(row)) continue;
      seen.add(row);
      lines.push(flags.format === 'csv' ? csvLine(reject, columns) : jsonLine(reject));
    }
    if (lines.length > 0) await printed(lines.join('\n'));
    stored += page.length;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) break;
    after = last.number;
  }
  if (unknown > 0)
    say(`${count(unknown)} of them without values: the ledger does not have the row as the input had it`);
  if (batch.error_count > stored) say(`${count(batch.error_count - stored)} more were counted and not kept`);
  return EXIT.done;
}

/** CSV has one header, so it takes the rows of one input. */
function whichInput(inputs: readonly string[], { format, input }: RejectsFlags): string | undefined {
  if (input !== undefined) {
    if (inputs.includes(input)) return input;
    throw usage('no_such_input', `the batch rejected no row of "${input}"`, {
      next: `its inputs with rejects: ${inputs.join(', ')}`,
    });
  }
  if (format !== 'csv') return undefined;
  if (inputs.length === 1) return inputs[0];
  throw usage(
    'which_input',
    `the batch rejected rows of ${inputs.length} inputs, each with its own columns`,
    {
      next: inputs.map((name) => `--input ${name}`),
    },
  );
}
