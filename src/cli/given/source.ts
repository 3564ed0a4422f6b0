import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { shellWord } from '../../core/command.js';
import { usage } from '../../core/errors/author.js';
import { again } from '../../core/next.js';
import type { Pipeline } from '../../core/pipeline.js';
import { plural } from '../../core/plural.js';
import type { Source } from '../../core/types.js';
import { fileSource, formatFor, formatOf } from '../../sources/file.js';
import { json } from '../../sources/json/index.js';
import { isSqliteFile, isSqliteName } from '../../sources/sqlite/header.js';
import { STDIN, statInput } from '../../sources/text/raw.js';

/** One input as the command line gives it: its file, and whether that is a JSON document of several inputs. */
export interface GivenFile {
  readonly path: string;
  readonly document?: boolean;
  /** Of its text; UTF-8 where left out. */
  readonly encoding?: string;
}

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
  if (path !== STDIN && !isFolder(path)) await statInput(path);
  if (isFolder(path)) return filesOfFolder(path, names);
  if (await isSqlite(path)) {
    const able = names.filter((name) => pipeline.inputs[name]?.fromSqlite !== undefined);
    if (able.length > 0) return same(able, { path });
  } else if (isJson(path)) return same(names, { path, document: true });
  throw usage(
    'which_input',
    `the pipeline "${pipeline.name}" has ${plural(all.length, 'input')}: --source does not say which`,
    {
      next:
        path === STDIN
          ? 'save it to a file: a JSON document (name.json) that has an array for every input is given by --source'
          : [
              ...all.map((name) => again({ drop: ['source'], flags: { input: [`${name}=${path}`] } })),
              `or a folder with a file for each: ${all[0]}.csv, …`,
              'or give one JSON document (name.json) that has an array for every input',
            ],
    },
  );
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
    if (declared !== undefined)
      throw usage(
        'not_from_sqlite',
        `the input ${name} does not say what to read out of an SQLite file (${path})`,
        {
          input: name,
          next: `export the rows as CSV: sqlite3 -header -csv ${shellWord(path)} "SELECT …" > ${name}.csv, and name that file`,
        },
      );
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
      throw usage('which_file', `${folder} has two files for ${name}: ${basename(before.path)} and ${file}`, {
        next: [before.path, join(folder, file)].map((each) =>
          again({ flags: { input: [`${name}=${each}`] } }),
        ),
      });
    found[name] = { path: join(folder, file) };
  }
  if (Object.keys(found).length === 0)
    throw usage('no_files', `${folder} has no file that is called as an input is`, {
      next: `call them ${names.map((name) => `${name}.csv`).join(', ')}, or name each of them: --input ${names[0]}=…`,
    });
  return found;
}

/** Whether there is a folder at `path`. */
export const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** The files of a folder whose names tell a format that can be read, as paths. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => formatOf(file) !== undefined)
    .sort()
    .map((file) => join(folder, file));
}

/** Whether one file can be several inputs. */
export async function holdsSeveral(path: string): Promise<boolean> {
  return isJson(path) || isSqlite(path);
}

const isJson = (path: string) => formatFor(path, {}) === 'json';

/** Told by the file's first bytes, or by its name where it cannot be read; then the reading says why. */
const isSqlite = async (path: string) => isSqliteName(path) || (await isSqliteFile(path));

function same(names: readonly string[], file: GivenFile): Record<string, GivenFile> {
  return Object.fromEntries(names.map((name) => [name, file]));
}
