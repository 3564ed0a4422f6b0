import type { Client } from 'pg';

/** The server's process behind a session: a process id is given again, so the moment it began belongs to it. */
export interface Backend {
  readonly pid: number;
  /** Microseconds since 1970, as digits. */
  readonly started: string;
  /** Behind a pooler: the name of our session; a process that has it no more is somebody else's. */
  readonly name?: string;
}

const started = (column: string) =>
  `(pg_catalog.date_part('epoch', ${column}) OPERATOR(pg_catalog.*) 1000000)::pg_catalog.int8::pg_catalog.text`;

const OWN = `SELECT pid, ${started('backend_start')} AS started, application_name AS name
  FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid())`;

const backends = new WeakMap<object, Backend>();

/**
 * Asks the session for its process, which `backendOf` tells from then on. Everything in the statement is qualified: it may
 * come before the session has its settings.
 */
export async function identify(client: Client): Promise<Backend> {
  const { rows } = await client.query<Required<Backend>>(OWN);
  const { name, ...backend } = rows[0] as Required<Backend>;
  // A pooler tells a process number of its own.
  const isPooled = (client as unknown as { processID: number | null }).processID !== backend.pid;
  const known: Backend = isPooled ? { ...backend, name } : backend;
  backends.set(client, known);
  return known;
}

/** The process behind a session of ours; undefined where nobody has asked. */
export function backendOf(client: object): Backend | undefined {
  return backends.get(client);
}

/** What another session sees of a process of ours. */
export interface Seen {
  readonly pid: number;
  /** `active`, `idle`, `idle in transaction`, …; null or `disabled` where the server does not tell. */
  readonly state: string | null;
  /** What it waits for: `ClientRead`, say. */
  readonly waits: string | null;
}

const OURS = `FROM pg_catalog.pg_stat_activity a
  JOIN ROWS FROM (pg_catalog.unnest($1::pg_catalog.int4[]), pg_catalog.unnest($2::pg_catalog.text[]),
      pg_catalog.unnest($3::pg_catalog.text[])) AS ours (pid, started, name)
    ON a.pid = ours.pid AND ${started('a.backend_start')} = ours.started
      AND (ours.name IS NULL OR a.application_name = ours.name)`;

/** Which of the processes are there, and what they do; parameters as `parametersOf` gives them. */
export const SEEN = `SELECT a.pid, a.state, a.wait_event AS waits ${OURS}`;

/** Ends those of the processes that are there. */
export const END = `SELECT pg_catalog.pg_terminate_backend(a.pid) ${OURS}`;

/** The processes, as SEEN and END take them. */
export function parametersOf(of: readonly Backend[]): unknown[] {
  return [of.map(({ pid }) => pid), of.map((each) => each.started), of.map(({ name }) => name ?? null)];
}

/**
 * Whether a process that we wait for is at work on what we have sent, going by what another session sees of it. One that
 * waits for its client, or has nothing to do, has answered, or has not got what we sent.
 */
export function isAtWork(seen: Seen | undefined): boolean {
  if (seen === undefined) return false;
  // Without the right to see it, or where the server keeps no such notes, nothing is known.
  if (seen.state === null || seen.state === 'disabled') return true;
  if (seen.state.startsWith('idle')) return false;
  return seen.waits !== 'ClientRead' && seen.waits !== 'ClientWrite';
}
