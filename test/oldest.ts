import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { OLDEST } from '../src/db/server-version.js';
import { projectFolder } from './support/server.js';

// npm run test:15 -- [WORD …]: publishing and its undo on the oldest PostgreSQL that is supported, as Debian packs it, for
// what differs between versions is what the catalog holds. SLUICE_TEST_PG_BIN names another bin directory.

const binaries = process.env.SLUICE_TEST_PG_BIN ?? `/usr/lib/postgresql/${OLDEST}/bin`;

/** What depends on the server's version most, in as little time as may be. */
const CHOSEN = [
  'run/publish/publish.',
  'run/rollback/rollback.',
  'run/settings.',
  'sinks/publish/window.',
  'sinks/publish/replace/fidelity.',
  'db/connect.',
];

if (!existsSync(join(binaries, 'postgres'))) {
  console.log(`not run: there is no PostgreSQL in ${binaries} (apt-get install postgresql-${OLDEST})`);
} else {
  const words = process.argv.slice(2);
  const ran = spawnSync(
    process.execPath,
    [join(projectFolder, 'dist/test/run.js'), ...(words.length === 0 ? CHOSEN : words)],
    { stdio: 'inherit', env: { ...process.env, SLUICE_TEST_PG_BIN: binaries } },
  );
  process.exitCode = ran.status ?? 1;
}
