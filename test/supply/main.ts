import { spawnSync } from 'node:child_process';
import { projectFolder } from '../support/server.js';
import { isAllowed, lockedPackages } from './lock.js';

// npm run supply: the licences of all packages, and what is known of vulnerabilities in those that are installed with Sluice.

const packages = lockedPackages();
const terms = new Map<string, number>();
for (const { license = 'none', dev } of packages)
  terms.set(
    dev ? `${license} (development)` : license,
    (terms.get(dev ? `${license} (development)` : license) ?? 0) + 1,
  );
for (const [term, count] of [...terms].sort()) console.log(`${term}: ${count}`);
const others = packages.filter(({ license }) => !isAllowed(license));
for (const { path, license } of others) console.log(`not allowed: ${path}: ${license ?? 'no licence'}`);
if (others.length > 0) process.exitCode = 1;

const asked = spawnSync('npm', ['audit', '--omit', 'dev', '--json'], {
  cwd: projectFolder,
  encoding: 'utf8',
});
const said = answer(asked.stdout);
if (said?.metadata === undefined) {
  // A registry of one's own may have no such list: that is no answer, neither good nor bad.
  console.log(
    `vulnerabilities: not known, the registry does not answer npm audit (${said?.message ?? asked.stderr.trim()})`,
  );
} else {
  const { total } = said.metadata.vulnerabilities;
  console.log(
    `vulnerabilities: ${total}${total === 0 ? '' : ` in ${Object.keys(said.vulnerabilities ?? {}).join(', ')}`}`,
  );
  if (total > 0) process.exitCode = 1;
}

interface Answer {
  readonly message?: string;
  readonly metadata?: { readonly vulnerabilities: { readonly total: number } };
  readonly vulnerabilities?: Readonly<Record<string, unknown>>;
}

function answer(text: string): Answer | undefined {
  try {
    return JSON.parse(text) as Answer;
  } catch {
    return undefined;
  }
}
