import { type Command, Option } from 'commander';
import type { Proposal } from '../../copy/create.js';
import type { PreparedCopy } from '../../copy/prepare.js';
import type { CopyRequest } from '../../copy/request.js';
import type { Surroundings } from '../../copy/silent-run.js';
import { commandErrors } from '../../core/errors/catalogue/command-line.js';
import { isError } from '../../core/errors/is-error.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import { findsByKey, PUBLISH_MODES, type PublishMode } from '../../core/publish-mode.js';
import type { Run } from '../../core/run.js';
import type { Session } from '../../program/database.js';
import { noSummary } from '../../run/end/no-summary.js';
import type { FileFormat } from '../../sources/format.js';
import { pairs, type RunFlags, wholeNumber, withDatabase, withRunning } from '../given/flags.js';
import { answerFailureWith } from '../show/failure.js';
import type { CorrectedGiven } from './run.js';

interface CopyFlags extends Omit<RunFlags, 'input' | 'source' | 'set' | 'encoding'> {
  readonly into: string;
  readonly mode?: PublishMode;
  readonly key?: string;
  readonly map: readonly string[];
  readonly skipColumns?: string;
  readonly omit?: string;
  readonly columns?: string;
  readonly header?: boolean;
  readonly format?: FileFormat;
  readonly delimiter?: string;
  readonly null?: string;
  readonly quote?: string;
  readonly escape?: string;
  readonly encoding?: string;
  readonly at?: string;
  readonly table?: string;
  readonly query?: string;
  readonly sheet?: string;
  readonly skipLines?: number;
  readonly schema?: string;
  readonly create?: boolean;
}

/** `sluice copy FILE|- --into T` */
export function declareCopy(root: Command): void {
  const command = root
    .command('copy')
    .argument(
      '<files...>',
      "CSV, TSV, JSON Lines or JSON, also .gz or .zst: paths, or https:// and s3:// URLs; '-' is stdin; Excel, Parquet, SQLite files",
    )
    .description('load files into a table without writing a pipeline')
    .requiredOption('--into <table>', 'the table, or schema.table')
    .addOption(
      new Option(
        '--mode <how>',
        'append: add the rows (the default); replace: swap them in for all; by a key: merge (insert, update), sync (also delete what the file lacks), patch (update)',
      ).choices(PUBLISH_MODES),
    )
    .option('--key <a,b>', 'merge, sync, patch: what identifies a row (default: the primary key)')
    .option(
      '--map <column=name>',
      "the file's column and the table's, where names differ ('#3=name': the third); may be repeated",
      (value: string, before: readonly string[]) => [...before, value],
      [],
    )
    .option('--skip-columns <a,b>', 'columns of the file that are not loaded, by name or by position (#3)')
    .option('--omit <a,b>', 'replace: columns of the table that are left to their defaults')
    .option('--columns <a,b>', 'the columns of a CSV file that has no header; the keys of JSON rows')
    .option('--header', 'CSV: the first line is a header; --columns gives other names than it does')
    .option('--no-header', 'CSV: the first line is a row, whatever it looks like')
    .addOption(
      new Option(
        '--format <format>',
        'default: what the name says, else what the first bytes look like',
      ).choices(['csv', 'tsv', 'jsonl', 'json', 'sqlite', 'parquet', 'xlsx']),
    )
    .option('--delimiter <text>', "CSV: between fields ('tab' or '\\t' for a tab)")
    .option('--null <text>', 'CSV: unquoted text that means NULL (default: nothing at all)')
    .option('--quote <char>', "CSV: the quote character; 'none' where quotes mean nothing")
    .option('--escape <char>', 'CSV: before a quote inside quotes (default: the quote)')
    .option('--encoding <name>', 'windows-1252, say (default: UTF-8)')
    .option('--at <a.b>', 'JSON: where the array of rows is')
    .option('--table <name>', 'SQLite: the table or view to read (default: the only table)')
    .option('--query <sql>', 'SQLite: a query to read instead')
    .option('--sheet <name>', 'Excel: the sheet to read (default: the only one that is not hidden)')
    .option('--skip-lines <n>', 'CSV, Excel: lines left out before the header', wholeNumber)
    .option('--schema <file>', 'a JSON Schema that every row of the file must fit')
    .option('--only-rejects-of <batch>', 'the files are corrected rejects of that copy; see `rejects`')
    .option('--create', 'where the table is not there: propose one from the data, ask, create it')
    .option('--always', 'replace: load also what is known to be live already')
    .option('--dry-run', 'read and check every row; write nothing')
    .option('--rehearse', 'load and run the whole publish, then roll it back')
    .option('--no-swap', 'stop when staging is loaded and checked; `swap` publishes it')
    .addHelpText('after', '\nColumns are matched by name.');
  withRunning(withDatabase(command)).action(copy);
}

async function copy(files: readonly string[], flags: CopyFlags): Promise<void> {
  answerFailureWith((error) => noSummary('copy', error));
  const { assertRunnable } = await import('../../program/runnable.js');
  const { withSession } = await import('../given/session.js');
  assertRunnable(flags);
  const request = await requestOf(files, flags);
  process.exitCode = await withSession(flags.databaseUrl, async (session) =>
    flags.onlyRejectsOf === undefined
      ? inSession(session, request, flags)
      : resubmit(session, request, flags, flags.onlyRejectsOf),
  );
}

/** Publishes corrected rejects of an earlier copy, by what that copy was told. */
async function resubmit(
  session: Session,
  request: CopyRequest,
  flags: CopyFlags,
  id: string,
): Promise<number> {
  const { prepareResubmitted, requestOfBatch } = await import('../../copy/resubmit.js');
  const { fileOptions } = await import('../../copy/file-options.js');
  const { copyCommand } = await import('../../copy/request.js');
  const { findBatch } = await import('../../db/ledger/batches.js');
  const { requireLedger } = await import('../../db/ledger/open.js');
  const { fileSource } = await import('../../sources/file.js');
  const { filesIn, isFolder } = await import('../../program/files.js');
  await requireLedger(session.database);
  const batch = await findBatch(session.database, id);
  const { mode, ...said } = request;
  const original = requestOfBatch(batch, {
    ...said,
    ...(flags.mode === undefined ? {} : { mode: flags.mode }),
  });
  // What the copy's own files needed is not said of those with the corrected rows.
  const {
    columns: _columns,
    at: _at,
    table: _table,
    query: _query,
    sheet: _sheet,
    skipLines: _skip,
    ...reading
  } = request;
  const files = request.files.flatMap((path) => (isFolder(path) ? filesIn(path) : [path]));
  const corrected = await Promise.all(
    files.map(async (path) => fileSource(path, await fileOptions(path, reading))),
  );
  const from = `${copyCommand({ ...request, ...original, files: request.files })} --only-rejects-of ${id}`;
  return inSession(
    session,
    original,
    { ...flags, ...(original.create === true ? { create: true } : {}) },
    {
      prepare: (around, proposal) => prepareResubmitted(original, batch, from, around, proposal),
      given: { inputs: {}, corrected, originals: async () => ({}) },
    },
  );
}

/** Another way to make the pipeline than out of the files of the request. */
interface Instead {
  prepare(around: Surroundings, proposal: Proposal | undefined): Promise<PreparedCopy>;
  readonly given: CorrectedGiven;
}

async function inSession(
  session: Session,
  asked: CopyRequest,
  flags: CopyFlags,
  instead?: Instead,
): Promise<number> {
  const { batchLog } = await import('../show/log.js');
  const log = batchLog();
  log.discard();
  const { Shared } = await import('../../core/shared.js');
  const shared = new Shared();
  const share: Run['share'] = (key, make, release) => shared.share(key, make, release);
  const around = { database: session.database, signal: session.signal, log, share };
  try {
    return await lookAndLoad(session, asked, flags, around, instead);
  } finally {
    await shared.releaseAll();
  }
}

async function lookAndLoad(
  session: Session,
  asked: CopyRequest,
  flags: CopyFlags,
  around: Surroundings,
  instead?: Instead,
): Promise<number> {
  const goesOn = flags.resume !== undefined && (await hasProposedTypes(session, flags.resume));
  const request = goesOn ? { ...asked, proposed: true } : asked;
  if (flags.create !== true) return load(session, request, flags, around, instead);
  const { proposeTable } = await import('../../copy/create.js');
  const { say } = await import('../show/terminal.js');
  const proposal = await proposeTable(request, around);
  if (proposal === undefined) say(`${request.into} is there already: nothing to create`);
  else await show(proposal);
  return load(
    session,
    proposal === undefined ? request : { ...request, proposed: true },
    flags,
    around,
    instead,
    proposal,
  );
}

/** Whether the batch loads a table of which `--create` proposed the types. */
async function hasProposedTypes({ database }: Session, batch: string): Promise<boolean> {
  const { requireLedger } = await import('../../db/ledger/open.js');
  const { findBatch } = await import('../../db/ledger/batches.js');
  const { PROPOSED } = await import('../../copy/prepare.js');
  await requireLedger(database);
  return (await findBatch(database, batch)).settings.types === PROPOSED;
}

async function load(
  session: Session,
  request: CopyRequest,
  flags: CopyFlags,
  around: Surroundings,
  instead?: Instead,
  proposal?: Proposal,
): Promise<number> {
  const { prepareCopy } = await import('../../copy/prepare.js');
  const { runWith } = await import('./run.js');
  const prepared = await inFlags(() =>
    instead === undefined ? prepareCopy(request, around, proposal) : instead.prepare(around, proposal),
  ).catch((error) => {
    throw error instanceof SluiceError ? error.with({ state: 'nothing was written' }) : error;
  });
  const { keptRequest } = await import('../../copy/resubmit.js');
  try {
    return await runWith(
      session,
      prepared.pipeline,
      prepared.from,
      { ...flags, input: [], set: [], encoding: [] },
      {
        copy: keptRequest(request),
        // stdin is read once, and its beginning has been.
        ...(instead !== undefined || request.files.includes('-') ? {} : { again: { kind: 'copy', request } }),
        ...(around.share === undefined ? {} : { share: around.share }),
        ...(instead === undefined ? {} : { corrected: instead.given }),
      },
    );
  } finally {
    await prepared.release();
  }
}

async function show({ ddl, sampled, complete }: Proposal): Promise<void> {
  const { counted, say } = await import('../show/terminal.js');
  const rows = counted(sampled, 'row');
  say(
    complete
      ? `proposed from the whole input, ${rows}; these types give back every value as it is there (a number of JSON may be written otherwise: 1e3 as 1000):`
      : `proposed from ${rows}; a later value that does not fit, or would be changed, is a rejected row:`,
  );
  say();
  for (const line of `${ddl};`.split('\n')) say(`  ${line}`);
  say();
}

/** The flags as a request. Throws usage errors for those that contradict each other. */
async function requestOf(files: readonly string[], flags: CopyFlags): Promise<CopyRequest> {
  const { parseList } = await import('../../copy/request.js');
  const { mode = 'append', into, format, encoding, at, table, query, sheet, skipLines, schema } = flags;
  const byKey = findsByKey(mode);
  if (flags.key !== undefined && !byKey && flags.create !== true) throw commandErrors.key_not_used({ mode });
  if (mode === 'patch' && flags.create === true) throw commandErrors.which.createdIsEmpty();
  if (flags.omit !== undefined && mode !== 'replace') throw commandErrors.omit_not_used({ mode });
  const list = (option: string, text: string | undefined) =>
    text === undefined ? undefined : parseList(option, text);
  const lists = {
    key: list('--key', flags.key),
    skip: list('--skip-columns', flags.skipColumns),
    omit: list('--omit', flags.omit),
    columns: list('--columns', flags.columns),
  };
  const given = {
    ...lists,
    format,
    encoding,
    at,
    table,
    query,
    sheet,
    skipLines,
    schema,
    delimiter: flags.delimiter === 'tab' || flags.delimiter === '\\t' ? '\t' : flags.delimiter,
    null: flags.null,
    quote: flags.quote === 'none' ? (false as const) : flags.quote,
    escape: flags.escape,
    create: flags.create,
    header: flags.header,
    map: flags.map.length === 0 ? undefined : pairs('--map', flags.map),
  };
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { files, into, mode, ...(known as Partial<CopyRequest>) };
}

/** What options of csv() are to a pipeline are flags here. */
async function inFlags<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isError(error, 'bad_csv_option')) throw error;
    const { CSV_FLAGS } = await import('../../core/errors/catalogue/csv.js');
    throw error.but({ next: CSV_FLAGS });
  }
}
