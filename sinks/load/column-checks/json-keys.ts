const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Objects within each other, and keys of all objects that a key may be in: what has more is for others to judge. */
const MOST_DEPTH = 64;
const MOST_KEYS = 256;

/** Of each object that is open, where its keys begin in the lists below. */
const opened = new Int32Array(MOST_DEPTH);
/** Where each key begins and ends. */
const starts = new Int32Array(MOST_KEYS);
const ends = new Int32Array(MOST_KEYS);

/**
 * Whether no object in a JSON text has a key twice. False, too, for a key with an escape, and for more or deeper objects
 * than it keeps count of. Of what is no JSON it says something or other: the server refuses it.
 */
export function hasKeysOnce(bytes: Uint8Array, start: number, end: number): boolean {
  let depth = 0;
  let keys = 0;
  let first = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) {
      const from = i + 1;
      let escaped = false;
      for (i = from; i < end && bytes[i] !== QUOTE; i++) {
        if (bytes[i] !== BACKSLASH) continue;
        escaped = true;
        i++;
      }
      if (!isKey(bytes, i + 1, end)) continue;
      if (escaped || keys === MOST_KEYS) return false;
      for (let k = first; k < keys; k++) if (isSame(bytes, from, i, k)) return false;
      starts[keys] = from;
      ends[keys++] = i;
    } else if (byte === 0x7b) {
      if (depth === MOST_DEPTH) return false;
      opened[depth++] = first;
      first = keys;
    } else if (byte === 0x7d) {
      if (depth === 0) return false;
      keys = first;
      first = opened[--depth] as number;
    }
  }
  return true;
}

/** Whether a colon comes next, behind white space. */
function isKey(bytes: Uint8Array, from: number, end: number): boolean {
  for (let i = from; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte !== 32 && byte !== 9 && byte !== 10 && byte !== 13) return byte === 0x3a;
  }
  return false;
}

/** Whether the key in [from, to) is the one that is the `k`th. */
function isSame(bytes: Uint8Array, from: number, to: number, k: number): boolean {
  const other = starts[k] as number;
  if ((ends[k] as number) - other !== to - from) return false;
  for (let i = 0; i < to - from; i++) if (bytes[from + i] !== bytes[other + i]) return false;
  return true;
}
