import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../support/server.js';

/** A package as the lock has it. */
export interface Locked {
  readonly path: string;
  readonly version: string;
  readonly integrity: string | undefined;
  readonly resolved: string | undefined;
  /** As package.json says it: a term of SPDX. */
  readonly license: string | undefined;
  /** Only for work on the project: not installed with it. */
  readonly dev: boolean;
}

/** Packages for which the lock has no licence: what their own files say (`licenses` of package.json, LICENSE, Readme). */
const SAID_ELSEWHERE: Readonly<Record<string, string>> = {
  'node_modules/busboy': 'MIT',
  'node_modules/humanize-number': 'MIT',
  'node_modules/only': 'MIT',
  'node_modules/streamsearch': 'MIT',
};

/** The packages of package-lock.json. */
export function lockedPackages(): Locked[] {
  const lock = JSON.parse(readFileSync(join(projectFolder, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, Partial<Locked>>>;
  };
  return Object.entries(lock.packages)
    .filter(([path]) => path !== '')
    .map(([path, { version = '', integrity, resolved, license = SAID_ELSEWHERE[path], dev = false }]) => {
      return { path, version, integrity, resolved, license, dev };
    });
}

/** Licences under which Sluice may be used and handed on as it is (MIT). */
const ALLOWED = new Set([
  ...[
    'MIT',
    'ISC',
    '0BSD',
    'BSD-2-Clause',
    'BSD-3-Clause',
    'Apache-2.0',
    'BlueOak-1.0.0',
    'PostgreSQL',
    'Python-2.0',
    'CC0-1.0',
  ],
]);

/** Whether a term of SPDX allows it: one of `A OR B`, all of `A AND B`. */
export function isAllowed(license: string | undefined): boolean {
  const terms = (license ?? '').replace(/[()]/g, '').split(' OR ');
  return terms.some((term) => term.split(' AND ').every((each) => ALLOWED.has(each)));
}
