/** What is longer than any name in use was not mistyped. */
const LONGEST_MEANT = 500;

/** The name closest to `wanted` among `names` (at most a third of it mistyped), for "did you mean". */
export function nearest(wanted: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const name of names) {
    // What differs in length by more than that is further away; comparing costs the product of both.
    if (Math.abs(wanted.length - name.length) >= bestDistance || name.length > LONGEST_MEANT) continue;
    const distance = editDistance(wanted.toLowerCase(), name.toLowerCase(), bestDistance);
    // Where nothing is left as it was, no name is meant.
    if (distance < bestDistance && distance < Math.max(wanted.length, name.length)) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** How many characters of `a` to change, to leave out or to add for `b`; `enough` or more where it is that many. */
function editDistance(a: string, b: string, enough: number): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[j] as number) + 1, (current[j - 1] as number) + 1));
    }
    if (Math.min(...current) >= enough) return enough;
    previous = current;
  }
  return previous[b.length] as number;
}
