import { CHUNK_ROWS, type Rows } from '../../core/row.js';
import type { Run } from '../../core/run.js';
import { untilAborted } from '../../core/until-aborted.js';
import { CopyOut } from './copy-out.js';
import { bare, describeQuery, queryError } from './describe.js';
import { rowParser } from './rows.js';
import { explained, type Reads, Sessions, stop } from './session.js';

/** What is read, and how. */
export interface Reading extends Reads {
  /** The author's query. */
  readonly sql: string;
  /** The columns that the flow relies on. */
  readonly columns?: readonly string[] | undefined;
  /** What stands before and behind the query's text in the statement whose rows are read; left out, nothing. */
  readonly around?: readonly [before: string, behind: string];
  /** The first row's origin is the one after this; left out, it is 1. */
  readonly rowsBefore?: number;
  /** Told of the rows read so far. */
  progress(rows: number): void;
  /** Asked once all rows are read, while their transaction goes on. */
  done?(): Promise<void>;
  /** Where its session comes from and goes to; left out, it has one of its own. */
  readonly sessions?: Sessions;
}

const COPY = 'COPY (';

/** The rows of a query, by COPY … TO STDOUT on a session of its own. Throws as `query` says. */
export async function* readQuery(run: Run, reading: Reading): Rows {
  const { name, sql, columns, around: [prefix, suffix] = ['', ''], rowsBefore = 0 } = reading;
  const { sessions = new Sessions(false) } = reading;
  const session = await sessions.take(run, reading);
  const { client, pid } = session;
  let copy: CopyOut | undefined;
  let finished = false;
  let again = false;
  try {
    const names = await untilAborted(describeQuery(client, name, sql, columns), run.signal);
    const parse = rowParser(names);
    copy = new CopyOut(client, `${COPY}${prefix}${bare(sql)}\n${suffix}) TO STDOUT`);
    let count = 0;
    for (;;) {
      const piece = await untilAborted(copy.next(), run.signal).catch((error) => {
        throw run.signal.aborted ? error : queryError(error, name, sql, COPY.length + prefix.length);
      });
      if (piece === undefined) break;
      const rows = parse(piece, rowsBefore + count + 1);
      count += rows.length;
      if (rows.length <= 2 * CHUNK_ROWS) yield rows;
      else for (let at = 0; at < rows.length; at += CHUNK_ROWS) yield rows.slice(at, at + CHUNK_ROWS);
      reading.progress(count);
    }
    finished = true;
    if (reading.done !== undefined) await untilAborted(reading.done(), run.signal);
    again = true;
  } catch (error) {
    throw await explained(error, run, name);
  } finally {
    if (!finished && copy !== undefined) await stop(run, client, copy, pid);
    await sessions.give(session, again);
  }
}
