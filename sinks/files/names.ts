import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { exportErrors } from '../../src/core/errors/catalogue/export.js';
import type { ExportFormat } from './format.js';

/** The files of one table or query. */
export interface FileNames {
  /** The path of its nth file, from 1 on. */
  path(n: number): string;
}

/** In `%n`, so that files are listed in their order. */
const DIGITS = 3;

/**
 * The names of the files of `what`, a table or 'query', for `into`: %t is its name, %n the number of the file, %% a per
 * cent sign; in a folder it has its own name. `numbered`: there may be several.
 */
export function fileNames(into: string, what: string, format: ExportFormat, numbered: boolean): FileNames {
  const pattern = isFolder(into) ? join(into, numbered ? `%t-%n.${format}` : `%t.${format}`) : into;
  const name = what.replace(/["/\\\p{Cc}]/gu, (character) => (character === '"' ? '' : '_'));
  return {
    path: (n) =>
      pattern.replace(/%[tn%]/g, (sign) =>
        sign === '%t' ? name : sign === '%n' ? String(n).padStart(DIGITS, '0') : '%',
      ),
  };
}

/** Throws usage `export_options` where two of the tables or queries would be in one file. */
export function namesApart(names: readonly FileNames[], into: string): void {
  const first = names.map((each) => each.path(1));
  const twice = first.find((path, at) => first.indexOf(path) !== at);
  if (twice === undefined) return;
  throw twice === into
    ? exportErrors.export_options.severalInOne({ into })
    : exportErrors.export_options.sameFile({ path: twice });
}

/** Throws usage `export_exists` where a file is there already that could be meant for one of `names`. */
export function assertFree(names: readonly FileNames[], numbered: boolean): void {
  for (const each of names) {
    const taken = numbered ? anyOf(each) : isThere(each.path(1)) ? each.path(1) : undefined;
    if (taken !== undefined) throw exportErrors.export_exists.named({ path: taken });
  }
}

/** A file that has one of the numbered names: of an export of more files it would be left beside the new ones. */
function anyOf(names: FileNames): string | undefined {
  const folder = dirname(names.path(1));
  const like = basename(names.path(1));
  const found = filesIn(folder).find((name) => {
    const number = /\d+/g;
    for (let match = number.exec(name); match !== null; match = number.exec(name))
      if (basename(names.path(Number(match[0]))) === name) return true;
    return name === like;
  });
  return found === undefined ? undefined : join(folder, found);
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // It is made by the export.
    return [];
  }
}

const isThere = (path: string) => statSync(path, { throwIfNoEntry: false }) !== undefined;

function isFolder(path: string): boolean {
  return path.endsWith('/') || statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
