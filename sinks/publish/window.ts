import { OUR_PATH, TEXT } from '../../src/db/pinned.js';
import { literal, qualified } from '../../src/db/quote.js';
import { TO_USERS_PATH } from '../../src/db/users-path.js';
import { settleStatement } from './deferred.js';

/** The SQLSTATE under which a proof says that a new table is not like the one that it replaces. */
export const NOT_ALIKE = 'SL002';

/** A lock that the window takes on a live table, in the mode's SQL name. */
export interface TableLock {
  readonly schema: string;
  readonly table: string;
  readonly mode: 'ACCESS EXCLUSIVE' | 'SHARE ROW EXCLUSIVE' | 'ROW EXCLUSIVE';
  /** With its partitions, or the tables that inherit from it: who writes to one of those locks only that. */
  readonly members?: boolean;
}

/**
 * One table's share of the publishing transaction, as SQL statements without their semicolons. The
 * window runs all parts phase by phase: every part's `early` statements, then every part's `dependents`,
 * then all locks in one statement, then `rechecks`, and so on, so that parts of any mode mix in one
 * transaction.
 */
export interface WindowPart {
  /** `schema.table`, for messages. */
  readonly table: string;
  /** Row changes that need no exclusive lock (append, merge, patch); run before any ACCESS EXCLUSIVE lock. */
  readonly early: readonly string[];
  /** Statements that lock dependents before the tables they read (`ALTER VIEW v OWNER TO <same>`). */
  readonly dependents: readonly string[];
  readonly locks: readonly TableLock[];
  /** Statements that raise an error when what was surveyed no longer holds (OIDs, fingerprint, journal). */
  readonly rechecks: readonly string[];
  /** Moves the live tables out of their schema. */
  readonly out: readonly string[];
  /** Moves the staged tables in. */
  readonly in: readonly string[];
  /** Everything the new table must get once it has its name: keys, views, triggers, policies, grants. */
  readonly after: readonly string[];
  /** Row changes that must see the swapped tables (a child merged under a replaced parent). */
  readonly late: readonly string[];
  /** Statements that raise an error where what is there at the end is not what was meant. */
  readonly proofs?: readonly string[];
}

/** The part of a window that does what is given and nothing else. */
export function windowPart(table: string, given: Partial<Omit<WindowPart, 'table'>>): WindowPart {
  return {
    table,
    ...{ early: [], dependents: [], locks: [], rechecks: [], out: [], in: [], after: [], late: [] },
    ...given,
  };
}

export interface WindowOptions {
  /** How long one lock is waited for. Below the server's deadlock_timeout nobody is ever killed for us. */
  readonly lockTimeoutMs: number;
  /** How long all locks together are waited for, and how long any statement under them may take. */
  readonly statementTimeoutMs: number;
  /** Statements that record the publish; they commit or vanish with it, under our search_path: qualify names. */
  readonly ledger: readonly string[];
  /** End in ROLLBACK: everything is done, held and measured, and nothing stays. */
  readonly rehearse?: boolean;
  /** The session is in a transaction already, whose locks keep writers out: no BEGIN. See holdGuard. */
  readonly held?: boolean;
}

const STRENGTH: Record<TableLock['mode'], number> = {
  'ROW EXCLUSIVE': 0,
  'SHARE ROW EXCLUSIVE': 1,
  'ACCESS EXCLUSIVE': 2,
};

/**
 * Every table once, in its strongest mode, by mode and name: each window takes them in one order. With its members,
 * where any of its locks is to be. Pure.
 */
export function mergedLocks(parts: readonly WindowPart[]): TableLock[] {
  const strongest = new Map<string, TableLock>();
  for (const lock of parts.flatMap((part) => part.locks)) {
    const name = qualified(lock.schema, lock.table);
    const known = strongest.get(name);
    const stronger = known === undefined || STRENGTH[known.mode] < STRENGTH[lock.mode] ? lock : known;
    const members = known?.members === true || lock.members === true;
    strongest.set(name, members ? { ...stronger, members } : stronger);
  }
  const byName = ([a]: [string, TableLock], [b]: [string, TableLock]) => (a < b ? -1 : 1);
  return [...strongest]
    .sort(byName)
    .map(([, lock]) => lock)
    .sort((a, b) => STRENGTH[a.mode] - STRENGTH[b.mode]);
}

/** `body` (plpgsql statements, each with its semicolon) as an anonymous block whose quotes it cannot end. */
export function anonymousBlock(body: string): string {
  let tag = 'sluice';
  while (body.includes(`$${tag}$`)) tag += '_';
  return `DO $${tag}$ BEGIN ${body} END $${tag}$`;
}

/** `statements` as one anonymous block, so that one statement_timeout bounds them together. */
function asBlock(statements: readonly string[]): string {
  return anonymousBlock(statements.map((statement) => `\n  EXECUTE ${literal(statement)};`).join(''));
}

/** The column under which the window's clock readings (milliseconds since 1970) come back. */
export const CLOCK = { start: 'sluice_start', locked: 'sluice_locked', end: 'sluice_end' } as const;

const clock = (name: string) =>
  `SELECT extract(epoch FROM pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.*) 1000 AS ${name}`;

const local = (name: string, to: string) => `SET LOCAL ${name} ${to}`;

/** What our own statements of the window run under: what the catalog says is compared as text with what a survey read. */
export const OUR_SETTINGS: readonly string[] = [
  local('search_path', `= ${OUR_PATH}`),
  ...Object.entries(TEXT).map(([name, value]) => local(name, `= ${literal(value)}`)),
];

/** What the application's code was written for: what the role has. Its search_path is set where that code is run: see alongUsersPath. */
const USUAL_SETTINGS = Object.keys(TEXT).map((name) => local(name, 'TO DEFAULT'));

/**
 * How long a window of `parts` may take where the usual limit is `usualMs` for a window of few tables: the catalog is
 * asked about all tables in one statement, and each table has some to be moved by. Pure.
 */
export function windowBudget(parts: readonly WindowPart[], usualMs: number): number {
  return Math.max(usualMs, usualMs + (mergedLocks(parts).length - FEW) * PER_TABLE_MS);
}

/**
 * Tables that the usual limit is made for, and what each further one may add. On two busy cores all statements under the
 * locks took 190 ms for 20 tables, 507 ms for 100 and 2,968 ms for 480.
 */
const FEW = 20;
const PER_TABLE_MS = 10;

/** One statement of a window. */
export interface WindowStatement {
  readonly sql: string;
  /** What it does, for whoever is told that it took too long. */
  readonly what: string;
}

/** The window as text: see windowStatements. */
export function windowSql(parts: readonly WindowPart[], options: WindowOptions): string {
  return `${windowStatements(parts, options)
    .map(({ sql }) => sql)
    .join(';\n')};\n`;
}

/**
 * The whole publishing transaction as one simple-protocol message, BEGIN to COMMIT: no round trip happens
 * under the locks, and a client that dies leaves either all of it or none. Dependents are locked before
 * the tables they read, and with the tables in one block: lock_timeout counts per lock, and only a
 * statement's timeout bounds their sum. `early` and `late` row changes are bounded by neither.
 */
export function windowStatements(parts: readonly WindowPart[], options: WindowOptions): WindowStatement[] {
  const all = (phase: keyof typeof DOES) =>
    parts.flatMap((part) => part[phase].map((sql) => ({ sql, what: `${DOES[phase]} ${part.table}` })));
  const locks = mergedLocks(parts);
  const lockStatements = [...new Set(locks.map((lock) => lock.mode))].map((mode) => {
    const names = locks
      .filter((lock) => lock.mode === mode)
      .map((lock) => `${lock.members === true ? '' : 'ONLY '}${qualified(lock.schema, lock.table)}`);
    return `LOCK TABLE ${names.join(', ')} IN ${mode} MODE`;
  });
  const first = [...all('dependents').map(({ sql }) => sql), ...lockStatements];
  const early = all('early');
  // Tables that are altered: what earlier row changes have put off until COMMIT would be in the way.
  const altered = locks.filter((lock) => lock.mode === 'ACCESS EXCLUSIVE');
  const settle = early.length === 0 || altered.length === 0 ? [] : [settleStatement(altered)];
  const late = all('late');
  // Row changes fire triggers, whose functions may rely on the usual settings; deferred ones at COMMIT.
  const triggers = early.length + late.length > 0;
  const statements: (string | WindowStatement)[] = [
    ...(options.held ? [] : ['BEGIN']),
    ...(triggers ? OUR_SETTINGS.slice(0, 1) : OUR_SETTINGS),
    `SET LOCAL lock_timeout = ${Math.trunc(options.lockTimeoutMs)}`,
    'SET LOCAL statement_timeout = 0',
    'SET LOCAL idle_in_transaction_session_timeout = 2000',
    ...early,
    ...settle,
    ...(triggers ? OUR_SETTINGS : []),
    `SET LOCAL statement_timeout = ${Math.trunc(options.statementTimeoutMs)}`,
    clock(CLOCK.start),
    ...(first.length === 0 ? [] : [{ sql: asBlock(first), what: LOCKING }]),
    clock(CLOCK.locked),
    ...all('rechecks'),
    ...all('out'),
    ...all('in'),
    ...all('after'),
    ...(late.length === 0
      ? []
      : ['SET LOCAL statement_timeout = 0', ...USUAL_SETTINGS, ...late, ...OUR_SETTINGS]),
    ...parts.flatMap(({ proofs = [], table }) =>
      proofs.map((sql) => ({ sql, what: `comparing with what it was surveyed as: ${table}` })),
    ),
    ...options.ledger.map((sql) => ({ sql, what: 'writing the ledger' })),
    ...(triggers ? USUAL_SETTINGS : []),
    clock(CLOCK.end),
    // What triggers have put off until COMMIT is the application's.
    ...(triggers ? [TO_USERS_PATH] : []),
    options.rehearse ? 'ROLLBACK' : { sql: 'COMMIT', what: 'committing' },
  ];
  return statements.map((each) => (typeof each === 'string' ? { sql: each, what: 'beginning' } : each));
}

/** What the statement that takes the locks does. */
export const LOCKING = 'locking the tables';

/** What the statements of a phase do, in front of the name of their table. */
const DOES = {
  early: 'changing rows of',
  dependents: 'locking what depends on',
  rechecks: 'looking again at the catalog, for',
  out: 'moving out',
  in: 'moving in',
  after: 'giving its keys, views, triggers and grants to',
  late: 'changing rows of',
} as const;
