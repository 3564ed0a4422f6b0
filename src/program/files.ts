import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { inputErrors } from '../core/errors/catalogue/inputs.js';
import { remoteErrors } from '../core/errors/catalogue/remote.js';
import { isRemote, shownUrl } from '../core/input-url.js';
import type { Pipeline } from '../core/pipeline.js';
import type { Source } from '../core/types.js';
import { statInput } from '../sources/bytes/local.js';
import { STDIN } from '../sources/bytes/open.js';
import { fileSource, formatAt, formatFor } from '../sources/file.js';
import { formatOf, textFormatOf } from '../sources/format.js';
import { json } from '../sources/json/index.js';
import type { GivenFile } from './inputs-given.js';

/**
 * The files that `--source path` gives to inputs: the only input's; every input that can be read out of an
 * SQLite file; every array of a JSON document that is called as an input is; the files of a folder that are.
 * Inputs in `named` are given otherwise. Throws usage `which_input`, `which_file`,
 * `no_files` and what `statInput` throws.
 */
export async function filesOfSource(
  pipeline: Pipeline,
  path: string,
  named: readonly string[],
): Promise<Record<string, GivenFile>> {
  const all = Object.keys(pipeline.inputs);
  if (all.length === 1) return { [all[0] as string]: { path } };
  const names = all.filter((name) => !named.includes(name));
  if (path !== STDIN && !isRemote(path) && !isFolder(path)) await statInput(path);
  if (isFolder(path)) return filesOfFolder(path, names);
  if (await isSqlite(path)) {
    const able = names.filter((name) => pipeline.inputs[name]?.fromSqlite !== undefined);
    if (able.length > 0) return same(able, { path });
  } else if (isJson(path)) return same(names, { path, document: true });
  throw path === STDIN
    ? inputErrors.which_input.ofStdin({ pipeline: pipeline.name, names: all })
    : inputErrors.which_input.ofFile({ pipeline: pipeline.name, names: all, path: shownUrl(path) });
}

/** The source that reads `file` as the input `name`. Throws usage `not_from_sqlite`. */
export async function sourceFor(
  pipeline: Pipeline,
  name: string,
  { path, document = false, encoding }: GivenFile,
): Promise<Source> {
  const declared = pipeline.inputs[name];
  const options = {
    ...(declared?.columns === undefined ? {} : { columns: declared.columns }),
    ...(encoding === undefined ? {} : { encoding }),
  };
  if (document) return json(path, { at: [name], ...options });
  if (await isSqlite(path)) {
    if (declared?.fromSqlite !== undefined) return declared.fromSqlite(path);
    if (declared !== undefined) throw inputErrors.not_from_sqlite({ name, path });
  }
  return fileSource(path, options);
}

/** The files of a folder that are called as inputs are, in any format; another name is nobody's. */
function filesOfFolder(folder: string, names: readonly string[]): Record<string, GivenFile> {
  const files = readdirSync(folder).filter((file) => formatOf(file) !== undefined);
  const found: Record<string, GivenFile> = {};
  for (const file of files.sort()) {
    const name = file.slice(0, file.indexOf('.'));
    if (!names.includes(name)) continue;
    const before = found[name];
    if (before !== undefined)
      throw inputErrors.which_file({
        folder,
        name,
        first: basename(before.path),
        second: file,
        paths: [before.path, join(folder, file)],
      });
    found[name] = { path: join(folder, file) };
  }
  if (Object.keys(found).length === 0) throw inputErrors.no_files({ folder, names });
  return found;
}

/** Whether there is a folder at `path`. */
export const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** The files of a folder whose names tell a format of text, as paths. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => textFormatOf(file) !== undefined)
    .sort()
    .map((file) => join(folder, file));
}

/** Whether one file can be several inputs. */
export async function holdsSeveral(path: string): Promise<boolean> {
  return isJson(path) || isSqlite(path);
}

const isJson = (path: string) => formatFor(path, {}) === 'json';

/** Told by the file's first bytes, or by its name where it cannot be read; then the reading says why. */
const isSqlite = async (path: string) => {
  const found = (await formatAt(path, {})) === 'sqlite';
  if (found && isRemote(path)) throw remoteErrors.bad_url.sqlite({ input: shownUrl(path) });
  return found;
};

function same(names: readonly string[], file: GivenFile): Record<string, GivenFile> {
  return Object.fromEntries(names.map((name) => [name, file]));
}
