/** A wait before attempt `next` (2, 3, …), in ms: doubling from `base` to `most`, half of it at random. */
export function backoff(next: number, base: number, most: number): number {
  const full = Math.min(most, base * 2 ** (next - 2));
  return Math.round(full / 2 + (Math.random() * full) / 2);
}
