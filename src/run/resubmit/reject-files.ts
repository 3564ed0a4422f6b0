import { createReadStream, existsSync } from 'node:fs';
import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { commandErrors } from '../../core/errors/catalogue/command-line.js';
import { parseJson } from '../../core/json/parse.js';
import { jsonText } from '../../core/json/write.js';
import type { StoredReject } from '../../core/stored-reject.js';
import { RejectsFile } from './rejects-file.js';

/** An input whose rejects are written: its name in the pipeline, what rejects call it, and the columns of its rows. */
export interface RejectedInput {
  readonly name: string;
  readonly label: string;
  readonly columns: readonly string[];
  readonly format: 'csv' | 'jsonl';
}

/** A file of rejects: rows in it, and how many of them have no values. */
export interface WrittenRejects {
  readonly input: string;
  readonly path: string;
  readonly rows: number;
  readonly unknown: number;
}

/** Rejects read from a scratch file together. */
const PAGE = 500;

/**
 * Writes the rejects of `inputs` into a file for each, new and readable by their owner alone: all of them or none.
 * `numbered`: a batch has them, which the numbers are of; else the files have none. Throws usage `file_exists`.
 */
export async function writeRejectFiles(
  folder: string,
  inputs: readonly RejectedInput[],
  pages: AsyncIterable<readonly StoredReject[]>,
  numbered: boolean,
): Promise<WrittenRejects[]> {
  const paths = inputs.map(({ name, format }) => join(folder, `${basename(name)}.${format}`));
  await assertNew(paths);
  const files = inputs.map(({ columns, format }, at) => {
    const path = paths[at] as string;
    return new RejectsFile(
      format === 'csv' ? columns : undefined,
      (text) => appendFile(path, `${text}\n`),
      numbered,
    );
  });
  try {
    for (const path of paths) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, '', { flag: 'wx', mode: 0o600 });
    }
    for (const file of files) await file.begin();
    for await (const page of pages)
      for (const [at, { label }] of inputs.entries())
        await (files[at] as RejectsFile).add(page.filter(({ input }) => input === label));
  } catch (error) {
    // Half a file would be taken for the whole.
    for (const path of paths) await rm(path, { force: true });
    throw error;
  }
  return inputs.map(({ name }, at) => {
    const { rows, unknown } = files[at] as RejectsFile;
    return { input: name, path: paths[at] as string, rows, unknown };
  });
}

/** Throws usage `file_exists` for a file that is there: it may have been corrected. */
async function assertNew(paths: readonly string[]): Promise<void> {
  const there = paths.find((path) => existsSync(path));
  if (there !== undefined) throw commandErrors.file_exists.ofRejects({ path: there });
}

/** Rejects that no ledger keeps, in a file of scratch space until the run is over. */
export class RejectSpool {
  /** The inputs that have some, as rejects call them. */
  readonly inputs = new Set<string>();

  constructor(private readonly path: string) {}

  async add(rejects: readonly StoredReject[]): Promise<void> {
    for (const { input } of rejects) this.inputs.add(input);
    await appendFile(this.path, rejects.map((reject) => `${jsonText(reject)}\n`).join(''), {
      mode: 0o600,
    });
  }

  async *pages(): AsyncGenerator<StoredReject[], void> {
    if (this.inputs.size === 0) return;
    let page: StoredReject[] = [];
    for await (const line of createInterface({
      input: createReadStream(this.path),
      crlfDelay: Number.POSITIVE_INFINITY,
    })) {
      page.push(parseJson(line) as StoredReject);
      if (page.length < PAGE) continue;
      yield page;
      page = [];
    }
    if (page.length > 0) yield page;
  }
}
