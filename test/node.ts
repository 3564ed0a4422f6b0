import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectFolder } from './support/server.js';

// `npm run test:node -- 22 [words]`: a part of the tests under another Node, which the registry has as a package. Under one
// that is too old, what it is told.

/** Where words are not given: reading, stages, the engine with a database, and the command. */
const SMOKE = ['core/', 'transforms/', 'sources/csv', 'run/load/after', 'cli/launcher', 'types/types'];

const [wanted = '22', ...words] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'sluice-node-'));
try {
  process.exitCode = run(nodeOf(wanted), words.length === 0 ? SMOKE : words);
} finally {
  rmSync(folder, { recursive: true });
}

/** The program of that version, from the registry. */
function nodeOf(version: string): string {
  const name = `node-${process.platform}-${process.arch}@${version}`;
  const packed = spawnSync('npm', ['pack', name, '--silent'], { cwd: folder, encoding: 'utf8' });
  const file = readdirSync(folder).find((each) => each.endsWith('.tgz'));
  if (packed.status !== 0 || file === undefined) throw new Error(`npm pack ${name}: ${packed.stderr}`);
  const unpacked = spawnSync('tar', ['xzf', file, 'package/bin/node'], { cwd: folder, encoding: 'utf8' });
  if (unpacked.status !== 0) throw new Error(`tar: ${unpacked.stderr}`);
  const node = join(folder, 'package', 'bin', 'node');
  chmodSync(node, 0o755);
  return node;
}

function run(node: string, words: readonly string[]): number {
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  const told = spawnSync(node, [join(projectFolder, 'bin', 'sluice.cjs'), '--version'], { encoding: 'utf8' });
  console.log(`Node ${version}: sluice --version ends with ${told.status}: ${told.stdout}${told.stderr}`);
  if (told.status === 2) return /^sluice needs Node\.js .*\n$/.test(told.stderr) ? 0 : 1;
  if (told.status !== 0) return 1;
  const tests = [join(projectFolder, 'dist', 'test', 'run.js'), ...words];
  return spawnSync(node, tests, { stdio: 'inherit' }).status ?? 1;
}
