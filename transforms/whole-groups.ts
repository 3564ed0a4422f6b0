import { type AnyRow, CHUNK_ROWS, originOf, type Row, type Rows } from '../src/core/row.js';
import { changedRun, type Rejection, type Run } from '../src/core/run.js';
import { named, type Stage, together } from '../src/core/types.js';
import { stageFailed } from './failure.js';
import { type By, describeGroup, groupKey, sameGroup } from './key.js';

export interface WholeGroupsOptions<R extends AnyRow = Row> {
  /** Rows with equal values of this belong together: the lines of an order, say. They must stand together, unless `unordered`. */
  readonly by: By<NoInfer<R>>;
  /**
   * `reject` (default): a group with a bad row is rejected as a whole. `leave`: it is published as a whole, as it was, and
   * counted as left, so that the run does not end as one that has done all (exit code 4).
   */
  readonly bad?: 'reject' | 'leave';
  /** Rows of a group need not stand together. All rows are then held in memory until the end. Default: false. */
  readonly unordered?: boolean;
  /** For messages. Default: `whole groups`. */
  readonly name?: string;
}

/** The reason of rows that are rejected, or left, because of another row of their group. */
const REASON = 'group_rejected';

/**
 * The rows as `judge` leaves them, where it rejects none of their group: a group whose row is bad (an order with a line that
 * cannot be read) is never published in part. Every group goes through `judge` by itself: a stage such as `validate` or
 * `rejectWhere`, or several, in a list. The row that is at fault has its own reason, the others `group_rejected`, with
 * the fault in their message. One group is held in memory at a time. Rows that the source itself could not read are of no
 * group: `--max-rejects 0` (the default) is what keeps them from being left out.
 */
export function wholeGroups<R extends AnyRow = Row>(
  judge: Stage<R> | readonly Stage<R>[],
  options: WholeGroupsOptions<R>,
): Stage<R> {
  const { by, bad = 'reject', unordered = false, name = 'whole groups' } = options;
  const stages = typeof judge === 'function' ? [judge] : judge;
  const describe = describeGroup<R>(by);
  const key = groupKey<R>(by);
  const same = sameGroup<R>(by);

  /** The rows of a group that go on. */
  async function decide(group: readonly R[], run: Run): Promise<readonly R[]> {
    const rejected: { readonly row: AnyRow | undefined; readonly why: Rejection }[] = [];
    const judging = changedRun(run, { reject: (row, why) => void rejected.push({ row, why }) });
    const passed: R[] = [];
    const judged = stages.reduce<Rows<R>>((rows, stage) => stage(rows, judging), alone(group));
    for await (const chunk of judged) passed.push(...chunk);
    if (rejected.length === 0) return passed;
    if (bad === 'leave') {
      run.leave(REASON, group.length);
      return group;
    }
    const [first] = rejected;
    const line = first?.row === undefined ? undefined : originOf(first.row);
    const at = line === undefined ? 'another row' : `row ${line}`;
    const message = `${at} of ${describe(group[0] as R)} is rejected: ${first?.why.message ?? first?.why.reason}`;
    const own = new Map(rejected.map(({ row, why }) => [row === undefined ? undefined : originOf(row), why]));
    for (const row of group) run.reject(row, own.get(originOf(row)) ?? { reason: REASON, message });
    return [];
  }

  const stage = named(name, async function* (rows: Rows<R>, run: Run): AsyncGenerator<readonly R[]> {
    let out: R[] = [];
    const full = () => out.length >= CHUNK_ROWS;
    const take = () => {
      const rows = out;
      out = [];
      return rows;
    };
    for await (const group of unordered ? scattered(rows, key, name) : neighbours(rows, same, name)) {
      out.push(...(await decide(group, run)));
      if (full()) yield take();
    }
    if (out.length > 0) yield out;
  });
  return together(stage);
}

async function* alone<R>(group: readonly R[]): AsyncGenerator<readonly R[]> {
  yield group;
}

/** Groups whose rows stand together. */
async function* neighbours<R extends AnyRow>(
  rows: Rows<R>,
  same: (a: R, b: R) => boolean,
  name: string,
): AsyncGenerator<readonly R[]> {
  let group: R[] = [];
  for await (const chunk of rows)
    for (const row of chunk) {
      const last = group.at(-1);
      if (last !== undefined && !asked(name, row, () => same(last, row))) {
        yield group;
        group = [];
      }
      group.push(row);
    }
  if (group.length > 0) yield group;
}

/** Groups whose rows stand anywhere, in the order of their first rows. */
async function* scattered<R extends AnyRow>(
  rows: Rows<R>,
  key: (row: R) => string,
  name: string,
): AsyncGenerator<readonly R[]> {
  const groups = new Map<string, R[]>();
  for await (const chunk of rows)
    for (const row of chunk) {
      const id = asked(name, row, () => key(row));
      const group = groups.get(id);
      if (group === undefined) groups.set(id, [row]);
      else group.push(row);
    }
  yield* groups.values();
}

function asked<R extends AnyRow, T>(name: string, row: R, ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    throw stageFailed(name, row, error);
  }
}
