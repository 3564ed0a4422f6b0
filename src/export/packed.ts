import { once } from 'node:events';
import { type Packing, packerOf } from '../../sinks/files/packing.js';

/** Bytes on their way to stdout. */
interface Stream {
  write(bytes: Uint8Array): Promise<void>;
  /** Everything has gone out. */
  end(): Promise<void>;
}

/** Packs what is written, where it is to be packed, and hands it to `out`. */
export function packed(packing: Packing | undefined, out: (bytes: Uint8Array) => Promise<void>): Stream {
  const packer = packerOf(packing);
  if (packer === undefined) return { write: out, end: async () => {} };
  const flowing = (async () => {
    for await (const bytes of packer) await out(bytes as Uint8Array);
  })();
  // It is awaited at the end; until then nobody listens.
  flowing.catch(() => {});
  return {
    async write(bytes) {
      if (!packer.write(bytes)) await Promise.race([once(packer, 'drain'), flowing]);
    },
    async end() {
      packer.end();
      await flowing;
    },
  };
}
