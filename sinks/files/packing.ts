import type { Duplex } from 'node:stream';
import * as zlib from 'node:zlib';
import { fileErrors } from '../../src/core/errors/catalogue/files.js';

/** How a file is packed. */
export type Packing = 'gz' | 'zst';

/** How a file of that name is packed, as its ending says. */
export function packingOf(path: string): Packing | undefined {
  if (/\.gz$/i.test(path)) return 'gz';
  return /\.zst$/i.test(path) ? 'zst' : undefined;
}

/** Node packs zstd from 22.15 on; its types for Node 20 lack it. */
const { createZstdCompress } = zlib as { readonly createZstdCompress?: () => Duplex };

/** Throws usage `cannot_pack` where this Node cannot pack so. */
export function assertPacks(packing: Packing | undefined): void {
  if (packing === 'zst' && createZstdCompress === undefined)
    throw fileErrors.cannot_pack({ node: process.versions.node });
}

/** What packs the bytes that are written to it; undefined where they stay as they are. Throws as `assertPacks`. */
export function packerOf(packing: Packing | undefined): Duplex | undefined {
  assertPacks(packing);
  return packing === 'gz' ? zlib.createGzip() : packing === 'zst' ? createZstdCompress?.() : undefined;
}
