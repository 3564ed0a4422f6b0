import { type Command, Option } from 'commander';
import { EXIT } from '../../core/errors/sluice-error.js';
import { noun } from '../../core/plural.js';
import type { StoredReject } from '../../core/stored-reject.js';
import type { Batch } from '../../db/ledger/batches.js';
import type { Session } from '../../program/database.js';
import { type DatabaseFlags, withDatabase } from '../given/flags.js';
import { isUnread } from '../show/output.js';

interface RejectsFlags extends DatabaseFlags {
  /** Left out: as text for people, unless they go into files. */
  readonly format?: 'csv' | 'jsonl';
  readonly input?: string;
  readonly into?: string;
}

type GivenFlags = Omit<RejectsFlags, 'format'> & { readonly format?: 'text' | 'csv' | 'jsonl' };

const FEED_BACK = `
A file of them (--format csv or jsonl) can be corrected and resubmitted:
  sluice rejects 7 --format csv > fixed.csv
  sluice run P --source fixed.csv --only-rejects-of 7
  sluice copy fixed.csv --into T --only-rejects-of 7
Where several inputs have some, --input NAME chooses one, and --into FOLDER
writes a file for each:
  sluice rejects 7 --into fixed
  sluice run P --source fixed --only-rejects-of 7
Its rows are as the input had them; the columns sluice_… behind them are not
read as data, but sluice_reject says which reject a row is, and must stay.
Cells that a spreadsheet would run as formulas begin with an apostrophe, which
is taken away again.`;

/** `sluice rejects B` */
export function declareRejects(root: Command): void {
  withDatabase(root.command('rejects').argument('<batch>', 'its id'))
    .description('the rows that a batch set aside, with line, column, value and reason')
    .addOption(
      new Option('--format <format>', 'csv, jsonl: the rows themselves, to be corrected').choices([
        'text',
        'csv',
        'jsonl',
      ]),
    )
    .option('--input <name>', 'only of this input of the pipeline')
    .option('--into <folder>', 'the rows themselves, a file for every input that has some')
    .addHelpText('after', FEED_BACK)
    .action(async (id: string, { format, ...others }: GivenFlags) => {
      const flags: RejectsFlags = {
        ...others,
        ...(format === undefined || format === 'text' ? {} : { format }),
      };
      const { withSession } = await import('../given/session.js');
      process.exitCode = await withSession(flags.databaseUrl, (session) => rejects(session, id, flags));
    });
}

/** An input with rejects: its name in the pipeline, and what they call it. */
interface RejectedInput {
  readonly name: string;
  readonly label: string;
}

async function rejects(session: Session, id: string, flags: RejectsFlags): Promise<number> {
  const { database } = session;
  const { findBatch } = await import('../../db/ledger/batches.js');
  const { jsonText } = await import('../../core/json/write.js');
  const { countRejects, rejectInputs } = await import('../../db/ledger/rejects.js');
  const { requireLedger } = await import('../../db/ledger/open.js');
  const { rejectLabels } = await import('../../run/resubmit/corrected-inputs.js');
  const { resubmittedLines, sayResubmit } = await import('../show/resubmit.js');
  const { describeReject } = await import('../show/rejects.js');
  const { table } = await import('../show/table.js');
  const { count, printed, say } = await import('../show/terminal.js');
  await requireLedger(database);
  const batch = await findBatch(database, id);
  const labels = rejectLabels(batch);
  const inputs = (await rejectInputs(database, id)).map((label) => ({
    label,
    name: Object.keys(labels).find((name) => labels[name] === label) ?? label,
  }));
  if (inputs.length === 0) {
    say(`batch ${id} rejected nothing`);
    return EXIT.done;
  }
  const chosen = await chosenInputs(inputs, flags);
  const reasons = await countRejects(
    database,
    id,
    chosen.map(({ label }) => label),
  );
  say(
    ...table(
      ['reason', 'column', 'rows'],
      reasons.map((each) => [each.reason, each.column_name ?? '', count(each.rows)]),
      { right: [2] },
    ),
  );
  say();
  const isExport = flags.format !== undefined || flags.into !== undefined;
  if (isExport) await writeFiles(session, batch, chosen, flags);
  else {
    const wanted = new Set(chosen.map(({ label }) => label));
    for await (const page of pagesOf(session, id)) {
      const shown = page.filter(({ input }) => wanted.has(input));
      const lines = shown.map((each) =>
        flags.json === true ? (jsonText(each) ?? '') : describeReject(each),
      );
      if (lines.length > 0) await printed(...lines);
    }
  }
  if (isUnread()) return EXIT.done;
  for (const line of await resubmittedLines(database, id)) say(isExport ? `${line}: left out` : line);
  if (flags.into === undefined) await sayResubmit(database, batch);
  const all = chosen.length === inputs.length ? reasons : await countRejects(database, id);
  const kept = all.reduce((sum, { rows }) => sum + rows, 0);
  const more = batch.error_count - kept;
  if (more > 0) say(`${count(more)} more ${noun(more, 'was', 'were')} counted and not kept`);
  return EXIT.done;
}

/** An input with rejects: its name in the pipeline, and what they call it. */
interface RejectedInput {
  readonly name: string;
  readonly label: string;
}

/** The rejects of `inputs` that are still to be corrected in files, one for each, or the only one's to stdout. */
async function writeFiles(
  session: Session,
  batch: Batch,
  inputs: readonly RejectedInput[],
  { format = 'csv', into }: RejectsFlags,
): Promise<void> {
  const { writeRejectFiles } = await import('../../run/resubmit/reject-files.js');
  const { RejectsFile } = await import('../../run/resubmit/rejects-file.js');
  const { rejectColumns } = await import('../../db/ledger/rejects.js');
  const { count, counted, handed, say } = await import('../show/terminal.js');
  const withColumns = [];
  for (const { name, label } of inputs) {
    const known = batch.input_columns?.[label] ?? [];
    const columns = new Set([...known, ...(await rejectColumns(session.database, batch.id, label))]);
    withColumns.push({ name, label, format, columns: [...columns] });
  }
  const pending = pagesOf(session, batch.id, true);
  let unknown = 0;
  if (into === undefined) {
    const [only] = withColumns;
    const file = new RejectsFile(format === 'csv' ? only?.columns : undefined, handed);
    await file.begin();
    for await (const page of pending) await file.add(page.filter(({ input }) => input === only?.label));
    ({ unknown } = file);
  } else {
    const files = await writeRejectFiles(into, withColumns, pending, true);
    for (const { input, path, rows } of files) say(`${counted(rows, 'row')} of ${input} in ${path}`);
    unknown = files.reduce((sum, file) => sum + file.unknown, 0);
    const { sayResubmittedFrom } = await import('../show/resubmit.js');
    await sayResubmittedFrom(session.database, batch, into);
  }
  if (unknown > 0)
    say(`${count(unknown)} of them without values: the ledger does not have the row as the input had it`);
}

/** The rejects of a batch, as long as somebody reads them and nobody asks to stop. */
async function* pagesOf(
  { database, signal }: Session,
  id: string,
  pending = false,
): AsyncGenerator<StoredReject[]> {
  const { rejectPages } = await import('../../db/ledger/rejects.js');
  signal.throwIfAborted();
  for await (const page of rejectPages(database, id, pending)) {
    yield page;
    signal.throwIfAborted();
    if (isUnread()) return;
  }
}

/** A file holds the rows of one input: each has its own columns, and is resubmitted to its own. */
async function chosenInputs(
  inputs: readonly RejectedInput[],
  { format, input, into }: RejectsFlags,
): Promise<readonly RejectedInput[]> {
  const { inputErrors } = await import('../../core/errors/catalogue/inputs.js');
  if (input !== undefined) {
    const found = inputs.find(({ name, label }) => name === input || label === input);
    if (found !== undefined) return [found];
    throw inputErrors.no_such_input.ofRejects({ name: input, names: inputs.map(({ name }) => name) });
  }
  if (format === undefined || into !== undefined || inputs.length === 1) return inputs;
  throw inputErrors.which_input.ofRejects({ inputs });
}
