import { again, command, type Next, type Suggestion } from '../../next.js';
import { noun, plural } from '../../plural.js';
import { failure, refusal, topic } from './entry.js';
import { AS_THE_COMMAND_ENDS, NOTHING_PUBLISHED } from './state.js';
import { FREE_SERVER_DISK } from './steps.js';

const LARGER_DISK = { lead: 'free space there, or make that disk larger; then' };

/** `2 of 37 rows`; where stages make several rows of one that is read, more may be rejected than were read. */
const shareOf = (rejected: number, read: number) =>
  rejected > read
    ? `${plural(rejected, 'row')} made of the ${plural(read, 'row')} that were read`
    : `${rejected} of ${plural(read, 'row')}`;

/** Errors of loading rows into staging, and of rows that were rejected. */
export const loadErrors = topic({
  load_failed: failure(({ table, why }: { table: string; why: string }) => ({
    says: `loading ${table} failed: ${why}`,
    table,
    state: AS_THE_COMMAND_ENDS,
    next: again({}, { lead: 'fix what it says, then' }),
  })),
  copy_failed: failure(({ table, why }: { table: string; why: string }) => ({
    says: `the server refused to load ${table}: ${why}`,
    table,
    state: AS_THE_COMMAND_ENDS,
    next: again({}, { lead: 'fix what it says, then' }),
  })),
  disk_full: {
    loading: failure(({ table, why }: { table: string; why: string }) => ({
      says: `the server has no disk space left to load ${table}: ${why}`,
      table,
      state: AS_THE_COMMAND_ENDS,
      next: FREE_SERVER_DISK,
    })),
    onServer: failure(({ why }: { why: string }) => ({
      says: `the server has no disk space left: ${why}`,
      state: AS_THE_COMMAND_ENDS,
      next: FREE_SERVER_DISK,
    })),
    onThisMachine: failure(({ why }: { why: string }) => ({
      says: `no space left on a disk of this machine: ${why}`,
      state: AS_THE_COMMAND_ENDS,
      next: again({}, { lead: 'free space there, or put logs, backups and scratch files elsewhere; then' }),
    })),
    /** `what`: what was said of it so far; `where`: the tablespace and its folder. */
    inPlace: failure(({ what, where, next }: { what: string; where: string; next: Suggestion }) => ({
      says: `${what} (${where})`,
      state: AS_THE_COMMAND_ENDS,
      next: next.saying(LARGER_DISK),
    })),
    found: failure(({ what, next }: { what: string; next: Suggestion }) => ({
      says: what,
      state: AS_THE_COMMAND_ENDS,
      next: next.saying(LARGER_DISK),
    })),
  },
  not_repeatable: {
    rows: refusal(({ table, how }: { table: string; how: string }) => ({
      says: `the input does not give the rows for ${table} that were loaded from it before: ${how}`,
      table,
      state: AS_THE_COMMAND_ENDS,
    })),
    /** `by`: what the input is cut by now. */
    otherwise: refusal(({ input, by }: { input: string; by: string }) => ({
      says: `${input} was loaded in other parts before than it is cut into now (by ${by})`,
      input,
      state: AS_THE_COMMAND_ENDS,
    })),
    uncut: refusal(({ input, why }: { input: string; why: string }) => ({
      says: `${input} was loaded in parts before, and cannot be cut as it was: ${why}`,
      input,
      state: AS_THE_COMMAND_ENDS,
    })),
    /** `at`: the byte of the text where records were together before that are not now. */
    cut: refusal(({ input, at }: { input: string; at: number }) => ({
      says: `${input} does not give the rows that were loaded from it before: its records from byte ${at} on are others`,
      state: AS_THE_COMMAND_ENDS,
    })),
  },
  /** A query's rows that are read by where they lie may have been put elsewhere, or be read twice. */
  table_rewritten: failure(({ query }: { query: string }) => ({
    says: `query ${query}: its table was written anew (VACUUM FULL, CLUSTER, TRUNCATE, ALTER TABLE), or has got or lost a partition, while it was being read in parts`,
    input: query,
    state: AS_THE_COMMAND_ENDS,
    next: again({}, { lead: 'when that is done,' }),
  })),
  /** A part of a query has more rows than there are numbers for. */
  part_overlong: failure(({ input, most }: { input: string; most: number }) => ({
    says: `a part of ${input} has more than ${most} rows`,
    input,
    state: AS_THE_COMMAND_ENDS,
    next: again({ flags: { jobs: '1' } }, { lead: 'read it in one piece' }),
  })),
  part_misread: failure(({ input, line, end }: { input: string; line: number; end: number }) => ({
    says: `${input} was cut at byte ${end}, in the middle of a record: the part from line ${line} on`,
    state: AS_THE_COMMAND_ENDS,
    next: 'this is a fault of Sluice: report it, with the lines of the file from there on',
  })),
  part_out_of_reach: failure(
    ({ input, start, end, why }: { input: string; start: number; end: number; why: string }) => ({
      says: `the part of ${input} from byte ${start} to ${end} cannot be read: ${why}`,
      state: AS_THE_COMMAND_ENDS,
      next: 'leave the file as it is until the load is done, then start it again',
    }),
  ),
  /** Parts are loaded by somebody who was to make the pipeline again, and has made another. */
  other_code: {
    code: refusal(({ pipeline }: { pipeline: string }) => ({
      says: `${pipeline} is not what it was when the run began: its file or its field mappings have changed`,
      state: AS_THE_COMMAND_ENDS,
      next: again({}, { lead: 'leave them as they are while it loads, and' }),
    })),
    flows: refusal(({ pipeline }: { pipeline: string }) => ({
      says: `${pipeline} has other flows when it is made a second time, so that it cannot be loaded by several threads`,
      state: AS_THE_COMMAND_ENDS,
      next: again({ drop: ['threads'] }),
    })),
  },
  /** `why`: what Node says. */
  thread_died: failure(({ input, why }: { input: string; why: string }) => ({
    says: `a thread that loaded parts of ${input} ended by itself: ${why}`,
    state: AS_THE_COMMAND_ENDS,
    next: again({ drop: ['threads'] }, { lead: 'to find out where, load it without threads' }),
  })),
  /** A part of an input became more rows than it has numbers for. */
  part_overfull: failure(({ rows, most, line }: { rows: number; most: number; line: number }) => ({
    says: `the records from line ${line} on became ${plural(rows, 'row')}, and there are numbers for ${most}`,
    state: AS_THE_COMMAND_ENDS,
    next: again({ flags: { jobs: '1' } }, { lead: 'load it in one piece' }),
  })),
  row_count_differs: failure(({ table, took, rows }: { table: string; took: number; rows: number }) => ({
    says: `${table} took ${took} of ${plural(rows, 'row')} without an error`,
    table,
    state: AS_THE_COMMAND_ENDS,
    next: 'look for a trigger or rule on the staging table that drops or adds rows',
  })),
  unaccounted_rows: {
    stages: refusal(({ first }: { first: string }) => ({
      says: `rows are unaccounted for: ${first}`,
      state: AS_THE_COMMAND_ENDS,
      next: 'let the stage say what became of them: run.skip(reason), run.reject(row, why), run.merge(reason)',
    })),
    staging: refusal(({ table }: { table: string }) => ({
      says: `rows of ${table} are unaccounted for: what is staged and what became of it do not add up`,
      table,
      state: NOTHING_PUBLISHED,
      next: 'load them again; did another session write to staging?',
    })),
  },
  too_many_rejects: refusal(
    ({
      batch,
      rejected,
      read,
      allowed,
      next,
    }: {
      batch: string | undefined;
      rejected: number;
      read: number;
      /** As --max-rejects says it. */
      allowed: string;
      next: Next;
    }) => ({
      says: `${shareOf(rejected, read)} ${noun(rejected, 'was', 'were')} rejected; ${allowed === '0' ? 'none' : allowed} may be (--max-rejects)`,
      state: AS_THE_COMMAND_ENDS,
      next: [
        ...(batch === undefined ? [] : [command('rejects', [batch], {}, { note: 'all of them' })]),
        ...[next].flat(),
      ],
    }),
  ),
  reject: refusal(({ input, why }: { input: string; why: string }) => ({
    says: `a row was rejected and --stop-on-error was given: ${why}`,
    input,
    state: AS_THE_COMMAND_ENDS,
  })),
});
