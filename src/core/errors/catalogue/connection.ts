import { again, type Next } from '../../next.js';
import { failure, misuse, refusal, topic } from './entry.js';
import { AS_THE_COMMAND_ENDS, NOTHING_CHANGED, NOTHING_DONE, NOTHING_WRITTEN } from './state.js';
import { SEE_SERVER_LOG } from './steps.js';

/** A database as messages name it: `host:port/database as user`, and the option or variable that named it. */
interface Place {
  readonly described: string;
  readonly from: string;
}

const at = ({ described, from }: Place) => `${described} (from ${from})`;

/** How many sessions are needed. */
const SESSIONS = 'a run needs three sessions at once, and is faster with more';

/** Why there is no connection. */
const noConnection = (place: Place, why: string, next: Next) => ({
  says: `cannot connect to ${at(place)}: ${why}`,
  state: NOTHING_DONE,
  next,
});

/** Who may read what policies would hide. */
export const SEES_ALL =
  "a role that sees all rows: the table's owner, if its row-level security is not forced, or one with BYPASSRLS";

const seeAll = (role: string, or: readonly string[]) => [
  `connect as ${SEES_ALL}   (ALTER ROLE ${role} BYPASSRLS, as a superuser)`,
  ...or,
];

/** Errors on the way to a database, and of sessions. */
export const connectionErrors = topic({
  connection_parameter: misuse(({ from, why, instead }: { from: string; why: string; instead: Next }) => ({
    says: `${from}: ${why}`,
    state: NOTHING_DONE,
    next: instead,
  })),
  bad_database_url: misuse(({ from, why }: { from: string; why: string }) => ({
    says: `${from} does not say where a PostgreSQL database is: ${why}`,
    state: NOTHING_DONE,
    next: [
      'postgres://user:password@host:5432/database',
      "or host=… port=5432 dbname=… user=…   ('…' around blanks)",
      'embedded:NAME   (a database of the embedded PostgreSQL)',
    ],
  })),
  no_database_named: {
    asked: misuse(() => ({
      says: 'something of this run asks for a database, and none is named: rows that go into files need none by themselves',
      state: AS_THE_COMMAND_ENDS,
      next: [
        'name one: --database-url (embedded:NAME is one of the embedded PostgreSQL), SLUICE_DATABASE_URL or DATABASE_URL',
        'or have the stage, check or source do without it',
      ],
    })),
    /** Of a program. */
    toPublish: misuse(() => ({
      says: 'the option database is left out, and the pipeline publishes tables',
      state: NOTHING_DONE,
      next: 'name the database, or files for the rows of the tables (into)',
    })),
  },
  no_connection: {
    noPassword: failure((place: Place & { why: string }) =>
      noConnection(place, place.why, [
        'PGPASSWORD, or a line in ~/.pgpass (host:port:database:user:password), gives it',
        'where a line is there, chmod 600 ~/.pgpass: one that others may read is left out',
      ]),
    ),
    certificate: failure((place: Place & { why: string | undefined }) =>
      noConnection(place, `the certificate of the server is not believed: ${place.why}`, [
        'name its authority (sslrootcert=FILE), and the host as the certificate has it',
        'sslmode=require takes any certificate: what is sent is encrypted, and nobody knows for whom',
      ]),
    ),
    noTls: failure((place: Place) =>
      noConnection(place, 'the server has no TLS, and sslmode asks for it', [
        'turn it on there (ssl = on), or, where the network is trusted, sslmode=prefer',
      ]),
    ),
    nothingListens: failure((place: Place) =>
      noConnection(place, 'nothing listens there', [
        'check the host and port, and that the server runs',
        place.from === '--database-url'
          ? 'without --database-url and the variables (DATABASE_URL, PG…) the embedded server is used'
          : `without ${place.from} the embedded server is used`,
      ]),
    ),
    unknownHost: failure((place: Place) =>
      noConnection(place, 'the host name is not known', 'check the host in the URL'),
    ),
    noAnswer: failure((place: Place) =>
      noConnection(place, 'no answer in time', 'check the host, the port and the firewall between'),
    ),
    wrongPassword: failure((place: Place & { role: string }) =>
      noConnection(place, 'the password is wrong for that user, or has expired', [
        'check user and password in the URL, or PGPASSWORD',
        `if it has expired: ALTER ROLE ${place.role} VALID UNTIL '…', as an administrator`,
      ]),
    ),
    notAllowed: failure((place: Place & { role: string; why: string }) =>
      noConnection(place, place.why, [
        `where the role may not log in: ALTER ROLE ${place.role} LOGIN, as an administrator`,
        'or ask for a pg_hba.conf entry, or try sslmode=require',
      ]),
    ),
    noSuchDatabase: failure((place: Place) =>
      noConnection(
        place,
        'that database does not exist',
        'check the name after the last / of the URL, or create it',
      ),
    ),
    noneLeft: failure(
      (place: Place & { why: string; limitOf: 'role' | 'database' | undefined; role: string }) =>
        noConnection(place, place.why, [
          ...(place.limitOf === 'role'
            ? [`ALTER ROLE ${place.role} CONNECTION LIMIT 10, as an administrator (${SESSIONS})`]
            : place.limitOf === 'database'
              ? [`ALTER DATABASE … CONNECTION LIMIT …, as an administrator (${SESSIONS})`]
              : []),
          again({}, { lead: `when others have ended, or with a larger max_connections (${SESSIONS})` }),
        ]),
    ),
    starting: failure((place: Place) =>
      noConnection(place, 'the server is starting or stopping', again({}, { lead: 'in a moment' })),
    ),
    /** The server, or what is between, was there and has hung up. */
    cutOff: failure((place: Place & { why: string }) =>
      noConnection(place, place.why, [
        again({}, { lead: 'in a moment' }),
        'if it is so each time, its log and whatever is between (a firewall, a pooler) may tell why',
      ]),
    ),
    other: failure((place: Place & { why: string }) =>
      noConnection(place, place.why, 'check the URL: postgres://user:password@host:port/database'),
    ),
  },
  connection_lost: {
    toDatabase: failure(({ why }: { why: string }) => ({
      says: `the connection to the database was lost: ${why}`,
      state: AS_THE_COMMAND_ENDS,
      next: SEE_SERVER_LOG,
    })),
    reading: failure(({ query, why }: { query: string; why: string }) => ({
      says: `the connection that reads ${query} was lost: ${why}`,
      state: AS_THE_COMMAND_ENDS,
      next: SEE_SERVER_LOG,
    })),
    loading: failure(({ table, why }: { table: string; why: string }) => ({
      says: `the connection that loads ${table} was lost: ${why}`,
      table,
      state: AS_THE_COMMAND_ENDS,
      next: SEE_SERVER_LOG,
    })),
  },
  few_sessions: refusal(
    ({ needed, had, server, next }: { needed: string; had: number; server: string; next: Next }) => ({
      says: `this needs ${needed} of the database at once, and there are ${had} to be had`,
      details: [`the server says: ${server}`],
      sqlstate: '53300',
      state: NOTHING_WRITTEN,
      next,
    }),
  ),
  pooled: refusal((place: Place) => ({
    says: `${at(place)} is a connection pooler that shares sessions between its clients (PgBouncer in transaction or statement mode, say)`,
    details: [
      'locks would stay with sessions that others get next, and settings of theirs would be ours, and ours theirs',
    ],
    state: NOTHING_DONE,
    next: [
      again({}, { lead: 'with the address of the server itself (connect directly)' }),
      "or by a database of the pooler's in session mode (PgBouncer: pool_mode=session)",
    ],
  })),
  pooler_options: refusal((place: Place) => ({
    says: `the connection pooler at ${at(place)} takes no options, and some are given`,
    state: NOTHING_DONE,
    next: again(
      {},
      { lead: 'without options in the address and PGOPTIONS, or with the address of the server itself' },
    ),
  })),
  other_server: refusal(
    ({ at, name, version, oldest }: { at: string; name: string; version: string; oldest: number }) => ({
      says: `${at} is ${name} (${version}), not PostgreSQL`,
      details: [
        'publishing and its undo read PostgreSQL’s own catalog, and rely on its locks and on DDL in transactions',
      ],
      state: NOTHING_DONE,
      next: `name a database of PostgreSQL ${oldest} or newer`,
    }),
  ),
  old_server: refusal(
    ({ at, version, oldest, newest }: { at: string; version: string; oldest: number; newest: number }) => ({
      says: `${at} is PostgreSQL ${version}, older than ${oldest}`,
      details: [
        `Sluice is tested on PostgreSQL ${oldest} to ${newest}: older ones have other catalogs, and what would not be carried over is not known`,
      ],
      state: NOTHING_DONE,
      next: `upgrade the server to PostgreSQL ${oldest} or newer (pg_upgrade), or name another database`,
    }),
  ),
  row_security: {
    /** `subject`: whose statement it was, as sentences begin. */
    refused: refusal(({ subject, why, or }: { subject: string; why: string; or: readonly string[] }) => ({
      says: `${subject}${why}`,
      sqlstate: '42501',
      state: AS_THE_COMMAND_ENDS,
      next: seeAll('the role', or),
    })),
    hidden: refusal(
      ({
        subject,
        tables,
        role,
        quoted,
        or,
      }: {
        subject: string;
        tables: readonly string[];
        role: string;
        /** The role as a statement names it. */
        quoted: string;
        or: readonly string[];
      }) => ({
        says: `${subject}row-level security would hide rows of ${tables.join(' or ')} from ${role}, and what is hidden would be missing without a word`,
        sqlstate: '42501',
        state: AS_THE_COMMAND_ENDS,
        next: seeAll(quoted, or),
      }),
    ),
    ofTable: refusal(({ table }: { table: string }) => ({
      says: `row-level security hides rows of ${table} from this role`,
      state: NOTHING_CHANGED,
      next: `connect as ${SEES_ALL}`,
    })),
  },
});
