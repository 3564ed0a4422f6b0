const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** The CRC-32 of zip, of gzip and of RFC 1952, so far; Node has one of its own from 22.2 on. */
export class Crc32 {
  #state = 0xffffffff;

  update(bytes: Uint8Array): void {
    let state = this.#state;
    for (let at = 0; at < bytes.length; at++)
      state = (TABLE[(state ^ (bytes[at] as number)) & 0xff] as number) ^ (state >>> 8);
    this.#state = state;
  }

  /** From 0 to 2^32 - 1. */
  value(): number {
    return (this.#state ^ 0xffffffff) >>> 0;
  }
}
