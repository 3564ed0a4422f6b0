import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { packageFile } from '../../src/core/package.js';
import { tempFolder } from './files.js';

/**
 * What `code` prints, a module that is given the path of the library as `process.argv[1]`: as it is installed, beside all
 * packages but those of `names` (a package, or a scope).
 */
export async function withoutPackages(
  t: TestContext,
  names: readonly string[],
  code: string,
): Promise<string> {
  const folder = tempFolder(t);
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  for (const name of readdirSync(packageFile('node_modules')))
    if (!names.includes(name) && !name.startsWith('.'))
      symlinkSync(packageFile('node_modules', name), join(modules, name));
  cpSync(packageFile('dist', 'bundle'), join(folder, 'dist', 'bundle'), { recursive: true });
  cpSync(packageFile('package.json'), join(folder, 'package.json'));
  return new Promise((resolve) =>
    execFile(
      process.execPath,
      ['--input-type=module', '--eval', code, join(folder, 'dist', 'bundle', 'src', 'index.js')],
      (_, stdout, stderr) => resolve(stdout + stderr),
    ),
  );
}
