import { once } from 'node:events';
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { pipeline as pipe } from 'node:stream/promises';
import { fileErrors } from '../src/core/errors/catalogue/files.js';
import type { SluiceError } from '../src/core/errors/sluice-error.js';
import { type AnyRow, anyColumns, type Row } from '../src/core/row.js';
import type { Run } from '../src/core/run.js';
import type { Sink } from '../src/core/types.js';
import { rowJson } from './publish/rows/json.js';

/** A backup document in the making: each section is an array of rows in one JSON file. */
export interface BackupFile {
  /** The sink of one section; its rows become objects of the array `name`. */
  section<R extends AnyRow = Row>(name: string): Sink<R>;
}

interface Document {
  /** Where it is made; it gets its own name when it is whole. */
  readonly unfinished: string;
  readonly directory: string;
  readonly stem: string;
  path?: string;
  readonly parts: { readonly name: string; readonly path: string }[];
  open: number;
}

/**
 * A JSON file `<prefix>_YYYYMMDD_HHMMSS.json` (local time, mode 0600) in `directory`, with one array for
 * every section: {"pipeline", "batch", "created_at", "<section>": [ {…}, … ], …}. Rows are streamed, each
 * section into a part of its own, and the parts are joined when the last one closes: memory stays flat.
 * The file is complete before anything is published, and has its name only then; a run that fails leaves
 * none. What one that was killed has left, `<prefix>_….part` with its host and process in the name, is removed
 * by the next that writes there.
 */
export function backupFile(
  prefix: string,
  options: { readonly pipeline: string; readonly directory?: string },
): BackupFile {
  let current: Promise<Document> | undefined;

  const begin = async (run: Run): Promise<Document> => {
    const directory = options.directory ?? '.';
    await mkdir(directory, { recursive: true }).catch((error: Error) => {
      throw cannotWrite(directory, error);
    });
    await sweep(directory, prefix);
    const stem = `${prefix}_${stamp(new Date())}`;
    const unfinished = join(directory, `${stem}.${HOST}.${process.pid}.${++made}`);
    // Here it shows whether the folder can be written.
    await open(`${unfinished}.part`, 'wx', 0o600).then(
      (file) => file.close(),
      (error: Error) => {
        throw cannotWrite(directory, error);
      },
    );
    run.log.debug('backup file begun', { unfinished });
    return { unfinished, directory, stem, parts: [], open: 0 };
  };

  return {
    section: (name) => ({
      name: `backup of ${name}`,
      writes: 'file',
      async open(run) {
        current ??= begin(run);
        const document = await current;
        document.open += 1;
        const path = `${document.unfinished}.${name}.part`;
        document.parts.push({ name, path });
        const out = createWriteStream(path, { mode: 0o600, highWaterMark: 1 << 20 });
        const json = rowJson();
        let count = 0;
        let failure: Error | undefined;
        let wake = () => {};
        // One listener for all: two for every wait would add up.
        out.on('error', (error) => {
          failure = error;
          wake();
        });
        out.on('drain', () => wake());
        const check = () => {
          if (failure !== undefined) throw cannotWrite(path, failure);
        };
        return {
          async write(chunk) {
            check();
            let text = '';
            for (const row of chunk) {
              text += count === 0 ? '\n' : ',\n';
              text += json(anyColumns(row));
              count += 1;
            }
            if (!out.write(text) && failure === undefined)
              await new Promise<void>((resolve) => {
                wake = resolve;
              });
            check();
          },
          async close() {
            await finish(out);
            check();
            document.open -= 1;
            if (document.open === 0) {
              current = undefined;
              run.wrote(
                await assemble(document, options.pipeline, run),
                'backup of the old numbers and contents',
              );
            }
            return count;
          },
          async discard() {
            current = undefined;
            // Not yet opened, it would be made after it was removed.
            if (!out.closed) await once(out.destroy(), 'close').catch(() => {});
            for (const each of [path, `${document.unfinished}.part`, document.path])
              if (each !== undefined) await rm(each, { force: true });
          },
        };
      },
    }),
  };
}

async function finish(out: WriteStream): Promise<void> {
  if (out.errored !== null) return;
  out.end();
  await once(out, 'close').catch(() => {});
}

/** Joins the parts and gives the file its name, which it returns. */
async function assemble(document: Document, pipeline: string, run: Run): Promise<string> {
  const head = { pipeline, batch: run.batch ?? null, created_at: new Date().toISOString() };
  const whole = `${document.unfinished}.part`;
  try {
    const file = await open(whole, 'a', 0o600);
    await file.write(JSON.stringify(head, null, 1).replace(/\n}$/, ''));
    for (const part of document.parts) {
      await file.write(`,\n ${JSON.stringify(part.name)}: [`);
      await pipe(createReadStream(part.path), createWriteStream(whole, { flags: 'a' }));
      await file.write('\n ]');
      await rm(part.path);
    }
    await file.write('\n}\n');
    await file.sync();
    await file.close();
    document.path = await unusedPath(document.directory, document.stem);
    await rename(whole, document.path);
    return document.path;
  } catch (error) {
    throw cannotWrite(whole, error as Error);
  }
}

const HOST = hostname().replace(/[^A-Za-z0-9-]+/g, '-');
let made = 0;

/** Removes what backups of `prefix` by processes of this machine that are gone have left unfinished. */
async function sweep(directory: string, prefix: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(`${prefix}_`)) continue;
    const [, host, pid] =
      /^_\d{8}_\d{6}\.([^.]+)\.(\d+)\.\d+\.(?:.+\.)?part$/.exec(name.slice(prefix.length)) ?? [];
    if (host === HOST && !isThere(Number(pid))) await rm(join(directory, name), { force: true });
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function cannotWrite(path: string, error: Error): SluiceError {
  return fileErrors.backup_failed({ path, why: error.message }, { cause: error });
}

/** A name that no earlier run has taken: a second run within the same second gets `_2`. */
async function unusedPath(directory: string, stem: string): Promise<string> {
  for (let n = 1; ; n++) {
    const path = join(directory, n === 1 ? `${stem}.json` : `${stem}_${n}.json`);
    try {
      const file = await open(path, 'wx', 0o600);
      await file.close();
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw cannotWrite(path, error as Error);
    }
  }
}

function stamp(at: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${at.getFullYear()}${two(at.getMonth() + 1)}${two(at.getDate())}_${two(at.getHours())}${two(at.getMinutes())}${two(at.getSeconds())}`;
}
