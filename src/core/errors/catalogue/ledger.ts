import { again, command } from '../../next.js';
import { failure, misuse, refusal, topic } from './entry.js';
import { AS_THE_COMMAND_ENDS, NOTHING_CHANGED, NOTHING_WRITTEN } from './state.js';
import { SEE_SERVER_LOG } from './steps.js';

/** Errors of the ledger, and of batches as it has them. */
export const ledgerErrors = topic({
  ledger_newer: refusal(({ have, known }: { have: number; known: number }) => ({
    says: `the ledger is of version ${have}; this Sluice knows version ${known}`,
    state: NOTHING_CHANGED,
    next: 'use the newer Sluice that made it',
  })),
  no_ledger_rights: failure(() => ({
    says: 'the role may not create the schema "sluice" for the ledger',
    sqlstate: '42501',
    state: NOTHING_WRITTEN,
    next: [
      'as an owner of the database: GRANT CREATE ON DATABASE … TO the role',
      'or let an owner of the database make the ledger once (the command init, with the URL of the owner)',
    ],
  })),
  ledger: failure(({ why }: { why: string }) => ({
    says: `the ledger could not be made: ${why}`,
    state: NOTHING_WRITTEN,
    next: again({}, { lead: 'fix what the server says, then' }),
  })),
  no_ledger: misuse(() => ({
    says: 'no pipeline was ever run in this database',
    next: ['check that --database-url names the right one', command('list')],
  })),
  not_our_ledger: {
    /** `me`, `owner`: roles, quoted for a statement. */
    open: refusal(({ me, owner }: { me: string; owner: string }) => ({
      says: `the ledger (schema sluice) is open to roles that ${me} does not rely on`,
      state: 'nothing of it was used, and nothing was changed',
      next: [
        `take that away, as its owner ${owner}: REVOKE CREATE ON SCHEMA sluice FROM …, DROP TRIGGER …, ALTER TABLE … OWNER TO ${owner}`,
        'or GRANT that role TO yours, where you rely on it',
      ],
    })),
    ofAnother: refusal(
      ({ me, owner, quoted }: { me: string; owner: string; quoted: { me: string; owner: string } }) => ({
        says: `the schema "sluice" belongs to ${owner}, and ${me} does not rely on what that role puts into it`,
        state: 'nothing of it was used, and nothing was changed',
        next: [
          `connect as ${quoted.owner}, or, where you rely on that role: GRANT ${quoted.owner} TO ${quoted.me}`,
          'or, where nobody who should has made it: look what is in it, and DROP SCHEMA sluice CASCADE',
        ],
      }),
    ),
  },
  no_such_batch: {
    notAnId: misuse(({ id }: { id: string }) => ({
      says: `"${id}" is not a batch id (a number such as 12)`,
      next: command('status'),
    })),
    unknown: misuse(({ id }: { id: string }) => ({
      says: `there is no batch ${id} in this database`,
      next: command('status'),
    })),
  },
  batch_busy: {
    otherCommand: failure(({ batch }: { batch: string }) => ({
      says: `another command is working on batch ${batch}`,
      state: NOTHING_CHANGED,
      next: command('status', [batch]),
    })),
    process: failure(({ batch }: { batch: string }) => ({
      says: `a process is still working on batch ${batch}`,
      state: NOTHING_CHANGED,
      next: command('status', [batch]),
    })),
    sessions: failure(({ batch }: { batch: string }) => ({
      says: `sessions of an earlier attempt still write to batch ${batch}`,
      state: NOTHING_CHANGED,
      next: again({}, { lead: 'end them (pg_terminate_backend), then' }),
    })),
  },
  illegal_move: failure(({ batch, status }: { batch: string; status: string }) => ({
    says: `batch ${batch} cannot become ${status} from where it is`,
    state: AS_THE_COMMAND_ENDS,
    next: command('status', [batch]),
  })),
  /** `whose`: what is known of who has made it. */
  schema_taken: refusal(({ name, whose }: { name: string; whose: string }) => ({
    says: `the schema ${name}, which this batch would make, is there already, and this batch has not made it: ${whose}`,
    state: 'nothing was written to it; live tables are untouched',
    next: again(
      {},
      {
        lead: 'ask its owner what it is for, and have it dropped or renamed; then',
        note: 'as a batch of another number',
      },
    ),
  })),
  tables_busy: refusal(({ table }: { table: string }) => ({
    says: `another batch is working on ${table}`,
    table,
    state: AS_THE_COMMAND_ENDS,
    next: [command('status', [], {}, { note: 'wait until it has ended' }), again({}, { lead: 'then' })],
  })),
  records_not_stored: failure(({ why }: { why: string }) => ({
    says: `records could not be stored in the ledger: ${why}`,
    state: AS_THE_COMMAND_ENDS,
    next: [SEE_SERVER_LOG, again({ flags: { records: 'none' } }, { lead: 'or keep none of them' })],
  })),
  rejects_not_stored: failure(({ why }: { why: string }) => ({
    says: `rejected rows could not be stored in the ledger: ${why}`,
    state: AS_THE_COMMAND_ENDS,
    next: SEE_SERVER_LOG,
  })),
  batch_id_too_long: misuse(({ batch }: { batch: string }) => ({
    says: `batch id ${batch} is too long for a trigger's name`,
    next: 'use an id of at most 46 bytes',
  })),
});
