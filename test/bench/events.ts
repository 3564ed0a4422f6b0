import { once } from 'node:events';
import { createWriteStream, existsSync, renameSync, rmSync } from 'node:fs';
import sqlite from 'node-sqlite3-wasm';
import { generator } from '../../samples/lot-consolidation/system.js';
import { EVENTS } from './events-table.js';

const WORDS = ['early', 'late', 'gift', 'call back', 'two boxes', 'fragile', 'neighbour', 'paid twice'];

/** The files of the same rows, by their paths. */
export interface EventFiles {
  readonly csv: string;
  /** Every hundredth row is another. */
  readonly changed: string;
  readonly jsonl: string;
  readonly sqlite: string;
}

type Values = readonly (string | null)[];

/** Makes the files that are not there; one row in fifty has a quote, one in five no note. */
export async function generate(rows: number, files: EventFiles): Promise<void> {
  const { csv, changed, jsonl, sqlite: database } = files;
  if (Object.values(files).every((path) => existsSync(path))) return;
  const header = `${EVENTS.join(',')}\n`;
  await write(csv, rows, asCsv, header);
  await write(
    changed,
    rows,
    (row, n) => asCsv(n % 100 === 0 ? [row[0] as string, 'AB-0', ...row.slice(2)] : row),
    header,
  );
  await write(
    jsonl,
    rows,
    (row) => `${JSON.stringify(Object.fromEntries(EVENTS.map((name, c) => [name, row[c]])))}\n`,
  );
  writeSqlite(database, rows);
}

async function write(
  path: string,
  rows: number,
  line: (row: Values, n: number) => string,
  header = '',
): Promise<void> {
  const file = createWriteStream(`${path}.part`, { highWaterMark: 1 << 20 });
  let text = header;
  let n = 0;
  for (const row of eventRows(rows)) {
    text += line(row, ++n);
    if (n % 2000 !== 0 && n !== rows) continue;
    if (!file.write(text)) await once(file, 'drain');
    text = '';
  }
  file.end();
  await once(file, 'finish');
  renameSync(`${path}.part`, path);
}

function writeSqlite(path: string, rows: number): void {
  const part = `${path}.part`;
  rmSync(part, { force: true });
  const database = new sqlite.Database(part);
  database.exec(`CREATE TABLE events (${EVENTS.map((name) => `${name} TEXT`).join(', ')}); BEGIN`);
  const insert = database.prepare(`INSERT INTO events VALUES (${EVENTS.map(() => '?').join(', ')})`);
  for (const row of eventRows(rows)) insert.run([...row]);
  insert.finalize();
  database.exec('COMMIT');
  database.close();
  renameSync(part, path);
}

function asCsv(row: Values): string {
  const cells = row.map((value) =>
    value === null ? '' : value.includes('"') ? `"${value.replaceAll('"', '""')}"` : value,
  );
  return `${cells.join(',')}\n`;
}

/** The same rows every time. */
function* eventRows(rows: number): Generator<Values> {
  const random = generator(11);
  const pick = <T>(of: readonly T[]) => of[Math.floor(random() * of.length)] as T;
  for (let i = 1; i <= rows; i++) {
    const day = `2025-${two(1 + Math.floor(random() * 12))}-${two(1 + Math.floor(random() * 28))}`;
    const word = random() < 0.2 ? null : `${pick(WORDS)} ${Math.floor(random() * 1000)}`;
    const note = word !== null && i % 50 === 0 ? `said "${word}", twice` : word;
    yield [
      String(i),
      `AB-${Math.floor(random() * 1e9)}`,
      `customer ${Math.floor(random() * 50_000)}`,
      String(Math.floor(random() * 100)),
      (random() * 1000).toFixed(2),
      pick(['open', 'sent', 'closed']),
      note,
      `${day} ${two(Math.floor(random() * 24))}:${two(Math.floor(random() * 60))}:00+00`,
      random() < 0.1 ? null : day,
      random() < 0.5 ? 't' : 'f',
    ];
  }
}

const two = (n: number) => String(n).padStart(2, '0');
