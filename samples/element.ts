/** What stands in `list` at `at`, from 0; throws a RangeError beyond its end. */
export function elementAt<T extends {}>(list: readonly T[], at: number): T {
  const element = list[at];
  if (element === undefined) throw new RangeError(`there is no element ${at} among ${list.length}`);
  return element;
}
