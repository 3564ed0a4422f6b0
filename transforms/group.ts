import { detachString } from '../src/core/detach.js';
import { type AnyRow, CHUNK_ROWS, type Row, type Rows } from '../src/core/row.js';
import type { Run } from '../src/core/run.js';
import { named, type Stage, together } from '../src/core/types.js';
import { stageFailed } from './failure.js';
import { type By, groupKey, sameGroup, withinOf } from './key.js';
import { withOrigin } from './map.js';

export interface GroupOptions<In extends AnyRow = Row, Acc = unknown, Out extends AnyRow = Row> {
  readonly by: By<In>;
  /** An empty accumulator for the group that `first` opens; `add` gets `first` as well. */
  readonly start: (first: In) => Acc;
  /** Takes a row in. Gives the new accumulator back, or nothing if it changed the old one. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a function that only changes the accumulator is welcome
  readonly add: (accumulator: Acc, row: In) => Acc | void;
  /** The row (or rows, or none) that the group becomes. */
  readonly finish: (accumulator: Acc) => Out | readonly Out[] | undefined;
  /**
   * Rows of a group need not stand together. All groups are then held in memory until the end, and leave
   * in the order of their first rows. Keep no texts of rows in the accumulator without copying them.
   */
  readonly unordered?: boolean;
  /** For messages. */
  readonly name?: string;
}

interface Group<In extends AnyRow, Acc> {
  readonly first: In;
  accumulator: Acc;
  rows: number;
}

/**
 * Many rows become one: rows with equal `by`, which must stand together unless `unordered`. A group that
 * comes again later is a second group. Rows that went into a group's row count as merged (`grouped`);
 * a group that becomes more rows than it had counts the difference as added. The row made has the origin
 * of the group's first row. An exception in one of the functions ends the batch with `stage_failed`.
 */
export function group<In extends AnyRow = Row, Acc = unknown, Out extends AnyRow = Row>(
  options: GroupOptions<In, Acc, Out>,
): Stage<In, Out> {
  const { name = 'group', by, start, add, finish, unordered = false } = options;
  const same = sameGroup(by);
  const key = groupKey(by);
  const stage = named(name, async function* (rows: Rows<In>, run: Run): AsyncGenerator<Out[]> {
    const groups = new Map<string, Group<In, Acc>>();
    let current: Group<In, Acc> | undefined;
    let previous: In | undefined;
    let out: Out[] = [];

    const close = (of: Group<In, Acc>) => {
      let made: Out | readonly Out[] | undefined;
      try {
        made = finish(of.accumulator);
      } catch (error) {
        throw stageFailed(name, of.first, error);
      }
      const list = made === undefined ? [] : Array.isArray(made) ? (made as readonly Out[]) : [made as Out];
      for (const row of list) out.push(withOrigin(row, of.first));
      if (of.rows > list.length) run.merge('grouped', of.rows - list.length);
      if (of.rows < list.length) run.add('grouped', list.length - of.rows);
    };
    const groupOf = (row: In): Group<In, Acc> => {
      if (current !== undefined && previous !== undefined && same(previous, row)) return current;
      const id = unordered ? detachString(key(row)) : '';
      const known = groups.get(id);
      if (known !== undefined) return known;
      if (current !== undefined && !unordered) close(current);
      // A group held to the end keeps nothing of its first row but where it came from.
      const opened = { first: unordered ? withOrigin({} as In, row) : row, accumulator: start(row), rows: 0 };
      if (unordered) groups.set(id, opened);
      return opened;
    };

    for await (const chunk of rows) {
      for (const row of chunk) {
        try {
          current = groupOf(row);
          current.accumulator = (add(current.accumulator, row) ?? current.accumulator) as Acc;
        } catch (error) {
          throw stageFailed(name, row, error);
        }
        current.rows++;
        previous = row;
      }
      if (out.length >= CHUNK_ROWS) {
        yield out;
        out = [];
      }
    }
    if (!unordered && current !== undefined) close(current);
    for (const held of groups.values()) {
      close(held);
      if (out.length >= CHUNK_ROWS) {
        yield out;
        out = [];
      }
    }
    if (out.length > 0) yield out;
  });
  return together(Object.assign(stage, withinOf(by)));
}
