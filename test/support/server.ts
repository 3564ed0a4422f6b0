import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statfsSync } from 'node:fs';
import { totalmem, userInfo } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { acquireEmbedded, type EmbeddedOptions, type EmbeddedServer } from '../../src/db/embedded/index.js';

/** The project's folder: the nearest one above this file that holds package.json. */
export const projectFolder = (() => {
  let at = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(at, 'package.json'))) at = dirname(at);
  return at;
})();

/**
 * The tests' own embedded server, shared by all test processes of this checkout. It does not wait for the
 * disk. `SLUICE_TEST_PG_BIN` names the bin directory of another PostgreSQL, whose data lies apart.
 */
export function testServerOptions(): EmbeddedOptions {
  const binaries = process.env.SLUICE_TEST_PG_BIN;
  const suffix = binaries === undefined ? '' : binaries.replace(/[^a-zA-Z0-9.]+/g, '-');
  return {
    directory: join(dataFolder(), `test${suffix}`),
    durable: false,
    settings: {
      // Several test files at once, and tests of what a prepared transaction does.
      max_connections: '200',
      max_prepared_transactions: '10',
      // It may lie in memory.
      max_wal_size: '512MB',
    },
    ...(binaries === undefined ? {} : { binaries }),
  };
}

/**
 * How glibc hands out the server's memory. Planning a question of the catalog takes some MB: where each session gets them page
 * by page and gives them back, page faults are more than a quarter of the server's CPU in a test of a whole batch. In large
 * pages that are kept they are few.
 */
const TUNABLES =
  'glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=67108864:glibc.malloc.top_pad=16777216:glibc.malloc.trim_threshold=268435456';

/** The tests' server, started where it does not run. */
export async function acquireTestServer(): Promise<EmbeddedServer> {
  const { GLIBC_TUNABLES: given } = process.env;
  process.env.GLIBC_TUNABLES = given ?? TUNABLES;
  try {
    return await acquireEmbedded(testServerOptions());
  } finally {
    // The server has it; the commands that tests start are to run as they do elsewhere.
    if (given === undefined) delete process.env.GLIBC_TUNABLES;
  }
}

const GB = 2 ** 30;

/**
 * The folder of the tests' server: in memory where there is plenty. A database of a test is some 300 files, and ext4 looks
 * through those that were just removed whenever it makes one: a quarter of the server's time went there. By what the
 * machine has at all, so that every process finds the same.
 */
function dataFolder(): string {
  const own = join(projectFolder, '.sluice');
  const limit = process.constrainedMemory();
  const memory = limit !== undefined && limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  if (process.platform !== 'linux' || memory < 8 * GB) return own;
  try {
    const { bsize, blocks } = statfsSync('/dev/shm');
    if (bsize * blocks < 4 * GB) return own;
  } catch {
    return own;
  }
  const hash = createHash('sha256').update(projectFolder).digest('hex').slice(0, 12);
  return join('/dev/shm', `sluice-${userInfo().uid}-${hash}`);
}

/**
 * What `npm test` leaves to `npm run test:all`, which CI runs: long files are whole systems, and proofs by killing processes
 * and servers; slow ones take more than some seconds.
 */
const LONG = /\.long\.test\.js$/;
const SLOW = /\.slow\.test\.js$/;

/** Whether a test file is a long one. */
export const isLong = (file: string): boolean => LONG.test(file);

/** Proofs go through so many cases that they have a script of their own. */
const PROOF = /\.proof\.test\.js$/;

/** The compiled test files whose path holds one of `filters`, or else all but proofs, long and slow ones, sorted. */
export function testFiles(filters: readonly string[], all = false): string[] {
  const compiled = join(projectFolder, 'dist', 'test');
  return (
    readdirSync(compiled, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.js'))
      // What is left in dist of a test that was removed or renamed is no test any more.
      .filter((name) => existsSync(join(projectFolder, 'test', name.replace(/\.js$/, '.ts'))))
      .map((name) => join(compiled, name))
      .filter((path) => {
        const shown = relative(compiled, path).split(sep).join('/');
        if (filters.length > 0) return filters.some((filter) => shown.includes(filter));
        return !PROOF.test(shown) && (all || !(LONG.test(shown) || SLOW.test(shown)));
      })
      .sort()
  );
}
