import { type Command, InvalidArgumentError, Option } from 'commander';
import { commandErrors } from '../../core/errors/catalogue/command-line.js';
import type { KeptRecords } from '../../core/pipeline.js';
import { parseRejectLimit, type RejectLimit } from '../../run/given/reject-limit.js';

/** Options that every command on a database has. */
export interface DatabaseFlags {
  readonly databaseUrl?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Options of the commands that read a pipeline's inputs. */
export interface PipelineFlags extends DatabaseFlags {
  readonly input: readonly string[];
  readonly source?: string | undefined;
  readonly encoding?: readonly string[];
  readonly set: readonly string[];
}

/** Options of `run` and `load`. */
export interface RunFlags extends PipelineFlags {
  readonly dryRun?: boolean;
  /** Write, where the pipeline's default is a dry run. */
  readonly execute?: boolean;
  readonly records?: KeptRecords;
  readonly rehearse?: boolean;
  readonly yes?: boolean;
  /** Commander's spelling of --no-swap. */
  readonly swap: boolean;
  readonly stopOnError?: boolean;
  readonly allowEmpty?: boolean;
  /** In percent. */
  readonly maxShrink?: number;
  readonly allowSuppressed?: boolean;
  readonly rewriteOids?: boolean;
  readonly runOwnersCode?: boolean;
  readonly maxRejects?: RejectLimit;
  /** A folder for files of the rejects. */
  readonly rejectsInto?: string;
  readonly reportsInto?: string;
  readonly limit?: number;
  readonly guard: 'journal' | 'lock' | 'off';
  /** Commander's spelling of --no-triggers. */
  readonly triggers?: boolean;
  readonly logFile?: string;
  readonly jobs?: number;
  readonly threads?: number;
  readonly workers?: boolean;
  /** The database of the workers' queue. */
  readonly queue?: string;
  /** The batch to resume. */
  readonly resume?: string;
  readonly keepStaging?: boolean;
  /** Of `copy`. */
  readonly always?: boolean;
  /** Commander's spelling of --no-source-data. */
  readonly sourceData?: boolean;
  readonly onlyRejectsOf?: string;
}

/** Collects the values of an option that may be repeated. */
export const collect = (value: string, before: readonly string[]) => [...before, value];

/** --database-url, --json, --quiet, --log-format. */
export function withDatabase(command: Command): Command {
  return command
    .option(
      '--database-url <url>',
      'the database, or embedded:NAME (default: SLUICE_DATABASE_URL, DATABASE_URL, PG*, else the embedded one)',
    )
    .option('--json', 'one JSON object on stdout')
    .option('--quiet', 'only warnings and errors on stderr')
    .addOption(logFormatOption());
}

/** --input, --source, --set. */
export function withInputs(command: Command): Command {
  return withDatabase(command)
    .option(
      '--input <name=path>',
      "read this input from a file or URL instead ('-' is stdin, .db an SQLite file); may be repeated",
      collect,
      [],
    )
    .option(
      '--source <path>',
      'the same for a pipeline with one input; for several: a folder, a JSON document or an SQLite file that has them',
    )
    .option(
      '--encoding <[input=]name>',
      'the encoding of the files (latin1, say), of all or of one input; may be repeated',
      collect,
      [],
    )
    .option('--set <name=value>', 'change a setting of the pipeline; may be repeated', collect, []);
}

/** --queue */
export function queueOption(): Option {
  return new Option(
    '--queue <url>',
    "the database with the workers' queue (default: SLUICE_QUEUE_URL, else the one that is loaded)",
  );
}

/** --guard */
export function guardOption(): Option {
  return new Option('--guard <how>', 'what to do about writes to live during the load')
    .choices(['journal', 'lock', 'off'])
    .default('journal');
}

/** Everything that `run` and `load` understand. */
export function withRun(command: Command): Command {
  return withRunning(withInputs(command))
    .option('--only-rejects-of <batch>', 'the input is a corrected file of `sluice rejects`; see there')
    .addOption(
      new Option('--records <which>', 'keep records of all rows, of those with errors, or none').choices([
        'all',
        'errors',
        'none',
      ]),
    );
}

const MAX_SHRINK =
  'replace a table, or delete its rows, where it loses as much of them (default: 50%; 100% allows all)';
const ALLOW_SUPPRESSED = 'publish without the rows that triggers keep from being written';
/** What `--run-owners-code` does. */
export const RUN_OWNERS_CODE =
  "run triggers, CHECKs and defaults of the tables' owners, though this role has more rights than they";
const REWRITE_OIDS =
  'replace: OIDs of the table that other rows keep (regclass columns) become those of the new one';

/** What may be published although it looks wrong: of commands that only publish. */
export function withAllowed(command: Command): Command {
  return command
    .option('--max-shrink <P%>', MAX_SHRINK, percent)
    .option('--allow-suppressed', ALLOW_SUPPRESSED)
    .option('--rewrite-oids', REWRITE_OIDS)
    .option('--run-owners-code', RUN_OWNERS_CODE);
}

/** How many rows may be rejected. */
export function withMaxRejects(command: Command): Command {
  return command.option(
    '--max-rejects <N|P%>',
    'publish with so many rejected rows (default: none)',
    rejectLimit,
  );
}

/** How to load and publish, whatever it is that is loaded. */
export function withRunning(command: Command): Command {
  return withMaxRejects(withAllowed(command))
    .option('--yes', 'do not ask; needed off a terminal')
    .option('--stop-on-error', 'stop at the first rejected row')
    .option('--allow-empty', 'replace a table that has rows even where none was loaded')
    .option(
      '--rejects-into <folder>',
      'write the rejected rows into files, to be corrected; also of a dry run',
    )
    .option('--reports-into <folder>', 'write all rows of the reports into files; also of a dry run')
    .option('--no-source-data', 'keep no values of the source in the ledger and the log')
    .option('--limit <N>', 'only the first N rows of every input; nothing is published', wholeNumber)
    .option('--resume <batch>', 'resume a batch that broke off (see `status`)')
    .option('--keep-staging', 'if stopped by a signal, keep what is loaded, to resume it (--resume)')
    .option(
      '--jobs <N>',
      'sessions that fill a table at once, and inputs read at once (default: by the cores, at most 4, and 2)',
      wholeNumber,
    )
    .option(
      '--threads <N>',
      'threads that run the stages of a flow that is loaded in parts, beside the one that reads (default: none)',
      wholeNumber,
    )
    .option('--workers', 'have the parts of inputs loaded by workers on any hosts (see `worker`)')
    .addOption(queueOption())
    .addOption(guardOption())
    .option(
      '--no-triggers',
      "append, merge, sync, patch: the tables' own triggers do not fire (needs their owner)",
    )
    .option(
      '--log-file <file>',
      'the log of the batch (default: .sluice/logs/<database>-<hash>-<batch>.log)',
    );
}

/** --log-format; what it means is seen to where the command line is read. */
const logFormatOption = (): Option =>
  new Option('--log-format <format>', 'what stderr holds: lines for people, or log records alone')
    .choices(['text', 'json'])
    .default('text');

/** `name=value` pairs as an object; throws a usage error for one that is none. */
export function pairs(option: string, given: readonly string[]): Record<string, string> {
  const made: [string, string][] = given.map((pair) => {
    const at = pair.indexOf('=');
    if (at < 1) throw commandErrors.bad_option.pair({ option, pair });
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  return Object.fromEntries(made);
}

function rejectLimit(text: string): RejectLimit {
  const limit = parseRejectLimit(text);
  if (limit === undefined)
    throw new InvalidArgumentError('a number of rows such as 10, or a share such as 0.5%.');
  return limit;
}

function percent(text: string): number {
  const share = /^(\d+(?:\.\d+)?)%$/.exec(text.trim());
  const number = Number(share?.[1]);
  if (share === null || number > 100) throw new InvalidArgumentError('a share such as 80%, at most 100%.');
  return number;
}

/** A whole number from 1 up, as a flag is given it. Throws InvalidArgumentError. */
export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('a whole number from 1 up.');
  return Number(text);
}
