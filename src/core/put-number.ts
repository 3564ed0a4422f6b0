/** Writes a whole number, not negative and exact, in decimal at `at`, and gives where it ends. */
export function putNumber(bytes: Buffer, at: number, number: number): number {
  let digits = 1;
  for (let most = 10; number >= most; most *= 10) digits += 1;
  const end = at + digits;
  let left = number;
  let place = end - 1;
  // Beyond 31 bits the divisions are of doubles, which are slower.
  for (; left > 0x7fffffff; place--) {
    const rest = Math.floor(left / 10);
    bytes[place] = 48 + (left - rest * 10);
    left = rest;
  }
  for (let small = left | 0; place >= at; place--) {
    const rest = (small / 10) | 0;
    bytes[place] = 48 + (small - rest * 10);
    small = rest;
  }
  return end;
}
