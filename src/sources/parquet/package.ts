import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { Compressors } from 'hyparquet';
import { parquetErrors } from '../../core/errors/catalogue/parquet.js';

/** The package that reads Parquet, which few need. */
export type ParquetPackage = typeof import('hyparquet');

/** Throws usage `no_parquet_reader` where it is not installed. */
export async function parquetPackage(input: string): Promise<ParquetPackage> {
  return import('hyparquet').catch((error: Error) => {
    throw parquetErrors.no_parquet_reader({ input, command: 'npm install hyparquet' }, { cause: error });
  });
}

/** What unpacks the pages of a file whose columns are packed by `codecs`; Snappy the package knows itself. */
export async function unpackers(codecs: ReadonlySet<string>): Promise<Compressors> {
  return {
    GZIP: (packed) => gunzipSync(packed),
    BROTLI: (packed) => brotliDecompressSync(packed),
    ...(codecs.has('ZSTD') ? { ZSTD: await zstd() } : {}),
  };
}

/** The codecs of which pages can be read. */
export const CODECS: ReadonlySet<string> = new Set(['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'BROTLI', 'ZSTD']);

async function zstd(): Promise<(packed: Uint8Array, bytes: number) => Uint8Array> {
  const { ZSTDDecoder } = await import('zstddec');
  const decoder = new ZSTDDecoder();
  await decoder.init();
  return (packed, bytes) => decoder.decode(packed, bytes);
}
