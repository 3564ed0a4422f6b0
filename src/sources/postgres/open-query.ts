import type { Client } from 'pg';
import type { Run } from '../../core/run.js';
import { untilAborted } from '../../core/until-aborted.js';
import { CopyOut } from './copy-out.js';
import { bare, describeQuery, queryError } from './describe.js';
import type { QueryText } from './query-text.js';
import { begin, explained, open, type Reads, rowSecurity, stop } from './session.js';

/** What is read, and which columns it must give. */
interface Wanted extends Reads {
  readonly columns?: readonly string[];
}

const COPY = 'COPY (';

export async function textOf(sql: QueryText, run: Run): Promise<string> {
  return typeof sql === 'string' ? sql : sql(run);
}

/** The columns that `sql` gives, asked without running it. Throws what `describeQuery` does, and refused `row_security`. */
export async function checkQuery(run: Run, sql: string, wanted: Wanted): Promise<string[]> {
  const { name, columns } = wanted;
  const client = await open(run, name);
  try {
    await client.query(['BEGIN READ ONLY', ...rowSecurity(wanted)].join('; '));
    return await untilAborted(describeQuery(client, name, sql, columns), run.signal);
  } catch (error) {
    throw await explained(error, run, name);
  } finally {
    await client.end().catch(() => {});
  }
}

/**
 * A statement that is being read, by COPY … TO STDOUT on a session of its own.
 * @internal
 */
export class OpenQuery {
  #finished = false;

  private constructor(
    private readonly run: Run,
    private readonly name: string,
    private readonly sql: string,
    private readonly client: Client,
    private readonly pid: number,
    /** The names of the columns that it gives, in their order. */
    readonly columns: readonly string[],
    private readonly copy: CopyOut,
  ) {}

  /** Throws what `checkQuery` does. The caller closes it. */
  static async begin(run: Run, sql: string, wanted: Wanted): Promise<OpenQuery> {
    const { name } = wanted;
    const client = await open(run, name);
    try {
      const pid = await untilAborted(begin(client, run, wanted), run.signal);
      const columns = await untilAborted(describeQuery(client, name, sql, wanted.columns), run.signal);
      const copy = new CopyOut(client, `${COPY}${bare(sql)}\n) TO STDOUT`);
      return new OpenQuery(run, name, sql, client, pid, columns, copy);
    } catch (error) {
      await client.end().catch(() => {});
      throw await explained(error, run, name);
    }
  }

  /** The next piece of its text, whole rows; undefined at the end. A view, valid until the next call. */
  async next(): Promise<Buffer | undefined> {
    try {
      const piece = await untilAborted(this.copy.next(), this.run.signal);
      if (piece === undefined) this.#finished = true;
      return piece;
    } catch (error) {
      if (this.run.signal.aborted) throw error;
      throw await explained(queryError(error, this.name, this.sql, COPY.length), this.run, this.name);
    }
  }

  /** Ends its session, wherever it is; never throws. */
  async close(): Promise<void> {
    if (!this.#finished) await stop(this.run, this.client, this.copy, this.pid);
    await this.client.end().catch(() => {});
  }
}
