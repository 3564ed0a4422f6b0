// A source is an object with a name and an async generator of chunks. This one reads a paged list, whatever gives it: each
// row is marked with its place, so that rejects name it; the signal is heeded between pages; a page that cannot be read is
// told as a reject, and reading goes on.
import { flow, markOrigin, pipeline, replace, type Source } from 'sluice';

export interface User {
  readonly id: string;
  readonly name: string;
}

/** A page of a list, from the number 1 on; undefined behind the last. */
export type Pages = (page: number, signal: AbortSignal) => Promise<readonly unknown[] | undefined>;

const isUser = (entry: unknown): entry is User =>
  typeof entry === 'object' && entry !== null && 'id' in entry && 'name' in entry;

/** The users of a paged list. Nothing is asked for before the run reads. */
export function users(pages: Pages): Source<User> {
  return {
    name: 'users',
    kind: 'memory',
    columns: ['id', 'name'],
    async *read(run) {
      let place = 0;
      for (let page = 1; ; page++) {
        run.signal.throwIfAborted();
        const entries = await pages(page, run.signal);
        if (entries === undefined) return;
        const rows: User[] = [];
        for (const entry of entries) {
          place++;
          if (isUser(entry)) rows.push(markOrigin({ id: entry.id, name: entry.name }, place));
          else run.reject(undefined, { reason: 'no_user', line: place, raw: JSON.stringify(entry) });
        }
        run.progress({ rows: place });
        if (rows.length > 0) yield rows;
      }
    },
  };
}

const LIST: readonly (readonly unknown[])[] = [
  [
    { id: '1', name: 'Ada' },
    { id: '2', name: 'Grace' },
  ],
  [{ id: '3', name: 'Joan' }, { deleted: true }],
];

export default pipeline({
  name: 'custom-source',
  summary: 'Users out of a paged list',
  inputs: { users: users(async (page) => LIST[page - 1]) },
  tables: { users: replace('users', { columns: ['id', 'name'] }) },
  flows: ({ inputs, tables }) => [flow(inputs.users).into(tables.users)],
});
