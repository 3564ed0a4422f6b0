import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import { tempFolder } from './files.js';

type Options = NonNullable<Parameters<typeof parquetWriteBuffer>[0]>;

/** A Parquet file with these columns in a folder of its own; the path. */
export function parquetFile(
  t: TestContext,
  columnData: readonly ColumnSource[],
  options: Partial<Omit<Options, 'columnData'>> & { readonly name?: string } = {},
): string {
  const { name = 'rows.parquet', ...rest } = options;
  const path = join(tempFolder(t), name);
  writeFileSync(path, parquetBytes(columnData, rest));
  return path;
}

/** The bytes of such a file. */
export function parquetBytes(
  columnData: readonly ColumnSource[],
  options: Partial<Omit<Options, 'columnData'>> = {},
): Uint8Array {
  const compressors = { GZIP: (bytes: Uint8Array) => gzipSync(bytes) };
  return new Uint8Array(parquetWriteBuffer({ columnData: [...columnData], compressors, ...options }));
}
