import type { Flags } from '../../command.js';
import { again, command } from '../../next.js';
import { interruption, misuse, topic } from './entry.js';
import { NOTHING_DONE, NOTHING_PUBLISHED, NOTHING_WRITTEN } from './state.js';

/** The batches, of which one may be named. */
const BATCHES = command('status', [], {}, { note: 'shows the batches; name one of them' });

/** Errors of what was typed, and of who stops it. */
export const commandErrors = topic({
  bad_option: {
    /** `why`: as the parser of the command line says it. */
    parsed: misuse(({ why }: { why: string }) => ({ says: why })),
    pair: misuse(({ option, pair }: { option: string; pair: string }) => ({
      says: `${option} ${pair}: a name, = and a value were expected`,
      next: `${option} name=value`,
    })),
    /** Of a program: the command line parses it itself. */
    rejects: misuse(({ given }: { given: string }) => ({
      says: `maxRejects ${given}: a number of rows, or a share of them, was expected`,
      next: "maxRejects: 10, or maxRejects: '0.5%'",
    })),
  },
  bad_list: {
    unreadable: misuse(({ option, text }: { option: string; text: string }) => ({
      says: `${option} ${text}: names between commas were expected`,
      next: `${option} a,b,"c,with a comma"`,
    })),
    empty: misuse(({ option }: { option: string }) => ({
      says: `${option}: one of the names is empty`,
      next: [
        `${option} a,b,"c,with a comma"`,
        ...(option === '--skip-columns'
          ? ["a column without a name is named by its position: --skip-columns '#1' for the first"]
          : []),
      ],
    })),
    twice: misuse(({ option, name }: { option: string; name: string }) => ({
      says: `${option}: the name ${name} stands twice`,
      next: `${option} a,b,"c,with a comma"`,
    })),
  },
  which: {
    createdIsEmpty: misuse(() => ({
      says: 'patch updates rows, and a table that is created has none',
      next: again({ drop: ['create'] }),
    })),
    tableOfBatch: misuse(() => ({ says: '--table goes with a batch id', next: BATCHES })),
    viewsOfBatch: misuse(({ batch }: { batch: string | undefined }) => ({
      says: '--views goes with a batch id, and without --table',
      next: batch === undefined ? BATCHES : again({ drop: ['table'] }),
    })),
    batchOrBackup: misuse(() => ({ says: 'give a batch id or --backup-file', next: BATCHES })),
    /** `withoutBatch`: the flags that go with a backup file. */
    batchAndBackup: misuse(({ withoutBatch }: { withoutBatch: Flags }) => ({
      says: 'give a batch id or --backup-file',
      next: [again({ drop: ['backupFile'] }), command('rollback', [], withoutBatch)],
    })),
    resumed: misuse(() => ({
      says: '--resume resumes a run that is to be published',
      next: again({ drop: ['dryRun', 'rehearse', 'limit'] }),
    })),
    keepStaging: misuse(() => ({
      says: '--keep-staging keeps what can be resumed',
      next: again({ drop: ['keepStaging'] }, { note: 'such a run starts again from the beginning' }),
    })),
    dryRunOrRehearsal: misuse(() => ({
      says: '--dry-run writes nothing and --rehearse loads staging',
      next: [again({ drop: ['rehearse'] }), again({ drop: ['dryRun'] })],
    })),
    executes: misuse(({ other }: { other: '--dry-run' | '--rehearse' }) => ({
      says: `--execute writes, and ${other} does not`,
      state: NOTHING_DONE,
      next: [again({ drop: ['execute'] }), again({ drop: ['dryRun', 'rehearse'] }, { note: 'writes' })],
    })),
  },
  key_not_used: misuse(({ mode }: { mode: string }) => ({
    says: `--key says how merge, sync and patch find rows; this is ${mode}`,
    next: [
      again({ drop: ['key'] }),
      again({ flags: { mode: 'merge' } }, { lead: 'or insert new rows and update those of the same key' }),
    ],
  })),
  omit_not_used: misuse(({ mode }: { mode: string }) => ({
    says: `--omit is for --mode replace; with ${mode} other columns are left alone anyway`,
    next: again({ drop: ['omit'] }),
  })),
  limit_publishes: misuse(() => ({
    says: '--limit would publish a part of the rows',
    next: [again({ flags: { dryRun: true } }), again({ drop: ['limit'] }, { note: 'all rows' })],
  })),
  guard_ends: misuse(() => ({
    says: '--guard lock ends with the command, long before its staging is swapped in',
    state: NOTHING_WRITTEN,
    next: again({ flags: { guard: 'journal' } }, { note: 'it waits with staging' }),
  })),
  needs_yes: misuse(() => ({
    says: 'off a terminal (or with the data on stdin) nobody can be asked',
    state: NOTHING_WRITTEN,
    next: again({ flags: { yes: true } }, { lead: 'look at what is shown above, then' }),
  })),
  which_batch: misuse(() => ({
    says: '--watch follows one batch',
    next: command('status', [], {}, { note: 'the batches: name one of them' }),
  })),
  no_such_demo: misuse(
    ({ name, meant, names }: { name: string; meant: string | undefined; names: readonly string[] }) => ({
      says: `there is no demo "${name}"`,
      next: [
        ...(meant === undefined ? [] : [again({ args: [meant] }, { lead: `did you mean ${meant}?` })]),
        `there are: ${names.join(', ')}`,
      ],
    }),
  ),
  password_elsewhere: misuse(({ place, password }: { place: string; password: string }) => ({
    says: `.env says where to connect (${place}), and the password is from elsewhere (${password})`,
    state: 'nothing was sent',
    next: [
      'if you trust .env, put the password into it as well',
      `or name the database yourself (--database-url), and take ${place} out of .env`,
    ],
  })),
  file_exists: {
    rejects: misuse(({ folder }: { folder: string }) => ({
      says: `${folder} has files already, and they may have been corrected`,
      state: NOTHING_DONE,
      next: 'name another folder (--rejects-into), or remove the files',
    })),
    reports: misuse(({ folder }: { folder: string }) => ({
      says: `${folder} has files already, or is to have the rejects`,
      state: NOTHING_DONE,
      next: 'name another folder (--reports-into), or remove the files',
    })),
    ofRejects: misuse(({ path }: { path: string }) => ({
      says: `${path} is there already, and may have been corrected`,
      next: 'name another folder, or remove the file',
    })),
  },
  interrupted: {
    stopped: interruption(() => ({ says: 'interrupted' })),
    waiting: interruption(() => ({ says: 'the command was asked to stop' })),
    bySignal: interruption(({ signal }: { signal: string }) => ({ says: `stopped by ${signal}` })),
    runBySignal: interruption(({ signal }: { signal: string }) => ({
      says: `stopped by ${signal}`,
      state: NOTHING_PUBLISHED,
    })),
    atQuestion: interruption(() => ({ says: 'stopped at the question', state: NOTHING_WRITTEN })),
    runNotConfirmed: interruption(() => ({ says: 'not confirmed', state: NOTHING_WRITTEN })),
    createNotConfirmed: interruption(() => ({ says: 'not confirmed', state: 'nothing was created' })),
    swapNotConfirmed: interruption(({ batch }: { batch: string }) => ({
      says: 'not confirmed',
      state: `nothing was published; batch ${batch} is staged`,
    })),
    rollbackNotConfirmed: interruption(() => ({
      says: 'not confirmed',
      state: 'nothing was put back; live is as it was',
    })),
  },
});
