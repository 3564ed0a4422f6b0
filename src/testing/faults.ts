import type { Row } from '../core/row.js';
import type { Source } from '../core/types.js';
import { untilAborted } from '../core/until-aborted.js';
import { onServer } from './server.js';

/** Something that goes wrong in a test, really: no part of Sluice is replaced for it. */
export interface Fault {
  /** As messages call it. */
  readonly name: string;
  /** The input that it is about. */
  readonly input: string;
  /** The place (1-based) of the row of the input before which it happens. */
  readonly at: number;
  /** The row in the place of that one. */
  readonly changes?: (row: Row) => Row;
  /** What happens, in the database of `url`; `stop` asks the run to stop. */
  readonly happens?: (where: { readonly url: string; readonly stop: () => void }) => Promise<void>;
}

interface Place {
  readonly input: string;
  readonly at: number;
}

/** Faults by name. Each happens once, before row `at` (1-based) of an input is passed on. */
export const faults = {
  /** The row has these values in place of its own. */
  badRow: ({ input, at, values }: Place & { readonly values: Row }): Fault => ({
    name: `badRow(${input}, ${at})`,
    input,
    at,
    changes: (row) => ({ ...row, ...values }),
  }),

  /** The server ends all sessions of the run, as where the connection or the server is lost. */
  lostConnection: ({ input, at }: Place): Fault => ({
    name: `lostConnection(${input}, ${at})`,
    input,
    at,
    happens: ({ url }) => statement(url, ENDED),
  }),

  /** Somebody asks the run to stop, as Ctrl-C and a supervisor do. */
  stopped: ({ input, at }: Place): Fault => ({
    name: `stopped(${input}, ${at})`,
    input,
    at,
    happens: async ({ stop }) => stop(),
  }),

  /** Another session executes `sql`: an application that writes to live during the load, say. */
  meanwhile: ({ input, at, sql }: Place & { readonly sql: string }): Fault => ({
    name: `meanwhile(${input}, ${at})`,
    input,
    at,
    happens: ({ url }) => statement(url, sql),
  }),
} as const;

const ENDED = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'sluice %'`;

const statement = (url: string, sql: string) =>
  onServer(url, async (client) => void (await client.query(sql)));

/** A fault on its way: whether it has happened. */
export interface Pending {
  readonly fault: Fault;
  met: boolean;
}

/** `source` with the faults of it, which happen when their rows are read. It is read in one piece. */
export function faulty(
  source: Source,
  pending: readonly Pending[],
  where: { readonly url: string; readonly stop: () => void },
): Source {
  if (pending.length === 0) return source;
  const { cut: _cut, partReader: _parts, ...whole } = source;
  return {
    ...whole,
    async *read(run) {
      let read = 0;
      for await (const chunk of source.read(run)) {
        const rows = [...chunk];
        let passed = 0;
        for (const each of pending) {
          const { fault } = each;
          const at = fault.at - read - 1;
          if (at < 0 || at >= rows.length) continue;
          const before = each.met;
          each.met = true;
          // The row is bad whoever reads the input, and however often; what happens does so once.
          if (fault.changes !== undefined) rows[at] = fault.changes(rows[at] as Row);
          if (fault.happens === undefined || before) continue;
          if (at > passed) yield rows.slice(passed, at);
          passed = at;
          await untilAborted(fault.happens(where), run.signal);
        }
        if (passed < rows.length) yield rows.slice(passed);
        read += rows.length;
      }
    },
  };
}
