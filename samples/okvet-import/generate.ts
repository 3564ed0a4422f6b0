import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sampleFolder } from '../folder.js';
import { runAsCommand } from '../generate-command.js';
import { FILE_NAMES, type FileName, PRACTICE, Practice, type PracticeOptions } from './practice.js';

/** Where this sample's SQL and CSV files are. */
export const FILES = sampleFolder('okvet-import');

/** A bad row of a generated file, and for what it will be rejected. */
export interface Planted {
  readonly file: FileName;
  /** 1-based, of the record's first line. */
  readonly line: number;
  readonly reason: string;
  readonly sourceId: string;
}

/** The text of a file in pieces of some thousand rows; every bad row is told as it is made. */
export function* fileText(
  practice: Practice,
  file: FileName,
  tell: (planted: Planted) => void = () => {},
): Generator<string> {
  let text = `${record(PRACTICE[file].header)}`;
  let line = 2;
  const rows = practice.rows(file);
  for (let n = 1; n <= rows; n++) {
    const { values, planted, sourceId } = practice.row(file, n);
    if (planted !== undefined) tell({ file, line, reason: planted, sourceId });
    const made = record(values);
    text += made;
    line += lineFeeds(made);
    if (text.length > 1 << 18) {
      yield text;
      text = '';
    }
  }
  yield text;
}

/** Writes the six files and `planted.csv` into `folder`; the number of bad rows. */
export async function writePractice(folder: string, options: PracticeOptions): Promise<number> {
  const practice = new Practice(options);
  await mkdir(folder, { recursive: true });
  const planted = createWriteStream(join(folder, 'planted.csv'));
  planted.write('file,line,reason,source_id\n');
  let bad = 0;
  for (const file of FILE_NAMES) {
    const out = createWriteStream(join(folder, `${file}.csv`));
    const pieces = fileText(practice, file, (each) => {
      bad++;
      planted.write(`${each.file},${each.line},${each.reason},${each.sourceId}\n`);
    });
    for (const piece of pieces)
      if (!out.write(Buffer.from(piece, PRACTICE[file].encoding))) await once(out, 'drain');
    out.end();
    await once(out, 'finish');
  }
  planted.end();
  await once(planted, 'finish');
  return bad;
}

function record(values: readonly string[]): string {
  return `${values.map((value) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)).join(',')}\n`;
}

function lineFeeds(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      clients: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '7' },
      into: { type: 'string' },
    },
  });
  const [clients, seed] = [Number(values.clients), Number(values.seed)];
  if (
    values.into === undefined ||
    !Number.isSafeInteger(clients) ||
    clients < 100 ||
    !Number.isSafeInteger(seed)
  )
    throw new Error('generate.js --into FOLDER [--clients N, 100 at least] [--seed N]');
  const bad = await writePractice(values.into, { clients, seed });
  process.stdout.write(`${bad} bad rows are planted; ${join(values.into, 'planted.csv')} lists them\n`);
}

await runAsCommand(import.meta.url, main);
