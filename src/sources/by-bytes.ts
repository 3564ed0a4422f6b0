import { open, stat } from 'node:fs/promises';
import type { BinaryFormat } from './format.js';
import { beginsAsSqlite } from './sqlite/header.js';

/** As many bytes as any of them needs to be known by. */
const FIRST_BYTES = 16;

/** What the file at `path` is by its first bytes; undefined for text, and for what cannot be read. */
export async function formatByBytes(path: string): Promise<BinaryFormat | undefined> {
  // A FIFO or a device must not be asked for its first bytes: they would be gone, and to open one may take for ever.
  const facts = await stat(path).catch(() => undefined);
  const file = facts?.isFile() ? await open(path, 'r').catch(() => undefined) : undefined;
  if (file === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(FIRST_BYTES), 0, FIRST_BYTES, 0);
    return formatOfBytes(buffer.subarray(0, bytesRead));
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}

function formatOfBytes(first: Buffer): BinaryFormat | undefined {
  if (beginsAsSqlite(first)) return 'sqlite';
  const four = first.subarray(0, 4).toString('latin1');
  if (four === 'PAR1') return 'parquet';
  // Any other archive is told when it is opened.
  return four === 'PK\x03\x04' ? 'xlsx' : undefined;
}
