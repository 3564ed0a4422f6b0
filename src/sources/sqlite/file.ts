import { remoteErrors } from '../../core/errors/catalogue/remote.js';
import { sqliteErrors } from '../../core/errors/catalogue/sqlite.js';
import { isRemote, shownUrl } from '../../core/input-url.js';
import type { Run } from '../../core/run.js';
import type { Source } from '../../core/types.js';
import { STDIN } from '../bytes/open.js';
import type { HeaderOptions } from '../csv/header.js';
import { SqliteFile } from './database.js';
import { type SqliteQuery, sqliteSource } from './index.js';

/** What is read of an SQLite file that is named as any other file is. */
export interface SqliteFileOptions extends Pick<SqliteQuery, 'table' | 'query'> {
  readonly columns?: readonly string[];
  readonly map?: HeaderOptions['map'];
}

/**
 * The rows of a table or query of the SQLite file at `path`; where neither is given, of its only table. Throws as `sqlite`
 * does; reading throws usage `which_table` where there are several tables, refused `no_tables` where there is none.
 */
export function sqliteFile(path: string, options: SqliteFileOptions): Source {
  if (isRemote(path)) throw remoteErrors.bad_url.sqlite({ input: shownUrl(path) });
  if (path === STDIN) throw sqliteErrors.not_sqlite.notPlain({ path: 'stdin' });
  const { table, query, map, columns } = options;
  const rest = {
    ...(map === undefined ? {} : { map }),
    ...(columns === undefined ? {} : { columns }),
  };
  const given = query === undefined && table === undefined ? undefined : sqliteSource(path, { ...options });
  const found = async (run: Run): Promise<Source> =>
    given ?? sqliteSource(path, { table: await onlyTable(path, run), ...rest });
  return {
    name: path,
    kind: 'sqlite',
    path,
    format: 'sqlite',
    ...(columns === undefined ? {} : { columns }),
    check: async (run) => (await (await found(run)).check?.(run)) ?? [],
    async *read(run) {
      yield* (await found(run)).read(run);
    },
    async cut(run, how) {
      const source = await found(run);
      return source.cut === undefined
        ? { rows: (its) => source.read(its), why: 'a query of an SQLite file has no parts' }
        : source.cut(run, how);
    },
    types: async (run) => (await found(run)).types?.(run) ?? {},
  };
}

async function onlyTable(path: string, run: Run): Promise<string> {
  const tables = await (await SqliteFile.shared(path, run)).tables();
  const [first, ...others] = tables;
  if (first === undefined) throw sqliteErrors.no_tables({ path });
  if (others.length > 0) throw sqliteErrors.which_table({ path, tables });
  return first;
}
