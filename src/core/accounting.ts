import { plural } from './plural.js';
/** Row counts by reason; reasons are snake_case codes. */
export type Reasons = Readonly<Record<string, number>>;

/** What became of the rows at one stage; plain data, stored with the batch. */
export interface StageAccount {
  readonly stage: string;
  /** Where it stands: '' before any fork, else the branches taken, such as `2` or `2.1`. */
  readonly branch: string;
  readonly in: number;
  readonly out: number;
  readonly rejected: Reasons;
  readonly skipped: Reasons;
  readonly merged: Reasons;
  readonly added: Reasons;
  /** Part of `out`: rows passed on as they were. */
  readonly kept: Reasons;
  /** Part of `out`: rows passed on as they were, something being wrong with them. Batches of before have no such table. */
  readonly left?: Reasons;
  /** False where the stage stopped reading before its input ended. */
  readonly readToEnd: boolean;
}

/** What was handed to a sink, and what the receiver counted (null while nobody has counted). */
export interface SinkAccount {
  /** The table as its target names it, or what the sink is called. */
  readonly sink: string;
  /** Left out in accounts that earlier versions of Sluice have written. */
  readonly role?: 'table' | 'sink';
  readonly handed: number;
  readonly counted: number | null;
}

/** A flow's accounts: its source first (records in, rows out), then its stages and sinks in order. */
export interface FlowAccount {
  readonly source: string;
  readonly stages: readonly StageAccount[];
  readonly sinks: readonly SinkAccount[];
}

/** The sum of a reasons table. */
export function sum(reasons: Reasons): number {
  let total = 0;
  for (const count of Object.values(reasons)) total += count;
  return total;
}

/** Adds `rows` to `reason` in `table`. */
export function tally(table: Record<string, number>, reason: string, rows: number): void {
  // A reason may be called `constructor`, which every object seems to have.
  table[reason] = (Object.hasOwn(table, reason) ? (table[reason] as number) : 0) + rows;
}

/** Adds the rows of each of `tables` to `table`, which is given back. */
export function tallyAll(
  table: Record<string, number>,
  ...tables: readonly Reasons[]
): Record<string, number> {
  for (const each of tables) for (const [reason, rows] of Object.entries(each)) tally(table, reason, rows);
  return table;
}

const REASONS = ['rejected', 'skipped', 'merged', 'added', 'kept', 'left'] as const;

/** The live counters behind a StageAccount. */
export class StageCounter {
  in = 0;
  out = 0;
  readToEnd = false;
  readonly rejected: Record<string, number> = Object.create(null);
  readonly skipped: Record<string, number> = Object.create(null);
  readonly merged: Record<string, number> = Object.create(null);
  readonly added: Record<string, number> = Object.create(null);
  readonly kept: Record<string, number> = Object.create(null);
  readonly left: Record<string, number> = Object.create(null);

  constructor(
    readonly stage: string,
    readonly branch = '',
    readonly role: 'source' | 'stage' | 'end' = 'stage',
  ) {}

  /** Counters that stand at `account`. */
  static of(account: StageAccount, role: StageCounter['role']): StageCounter {
    const counter = new StageCounter(account.stage, account.branch, role);
    counter.stand(account);
    return counter;
  }

  /** From now on it stands at `account`, which has counted on from where it stood. */
  stand(account: StageAccount): void {
    this.in = account.in;
    this.out = account.out;
    for (const name of REASONS) Object.assign(this[name], account[name]);
  }

  account(): StageAccount {
    return {
      stage: this.stage,
      branch: this.branch,
      in: this.in,
      out: this.out,
      rejected: { ...this.rejected },
      skipped: { ...this.skipped },
      merged: { ...this.merged },
      added: { ...this.added },
      kept: { ...this.kept },
      left: { ...this.left },
      readToEnd: this.readToEnd,
    };
  }
}

/** What `after` has more than `before`, both of one stage. */
export function since(after: StageAccount, before: StageAccount | undefined): StageAccount {
  return before === undefined ? after : combined(after, before, -1);
}

/** Both together: what became of the rows of two parts of an input at one stage. */
export function plus(one: StageAccount, other: StageAccount | undefined): StageAccount {
  return other === undefined ? one : combined(one, other, 1);
}

function combined(one: StageAccount, other: StageAccount, sign: 1 | -1): StageAccount {
  const tables = REASONS.map((name) => {
    const table: Record<string, number> = tallyAll({}, one[name] ?? {});
    for (const [reason, rows] of Object.entries(other[name] ?? {})) tally(table, reason, sign * rows);
    return [name, Object.fromEntries(Object.entries(table).filter(([, rows]) => rows !== 0))] as const;
  });
  return {
    ...one,
    in: one.in + sign * other.in,
    out: one.out + sign * other.out,
    readToEnd: one.readToEnd && (sign < 0 || other.readToEnd),
    ...(Object.fromEntries(tables) as Pick<StageAccount, (typeof REASONS)[number]>),
  };
}

/**
 * Rows that a stage did not account for: positive where rows vanished, negative where they came from
 * nowhere. Zero is the accounting identity: in + added = out + rejected + skipped + merged.
 */
export function unaccounted(stage: StageAccount): number {
  return (
    stage.in + sum(stage.added) - stage.out - sum(stage.rejected) - sum(stage.skipped) - sum(stage.merged)
  );
}

/** Every breach of the identity in `flows`, as sentences; empty where the accounts balance. */
export function breaches(flows: readonly FlowAccount[]): string[] {
  const found: string[] = [];
  for (const flow of flows) {
    // Who stops reading stops everybody before him: the last one in a row is to blame.
    const stopped = new Map<string, StageAccount>();
    for (const stage of flow.stages) if (!stage.readToEnd) stopped.set(stage.branch, stage);
    for (const stage of flow.stages) {
      const missing = unaccounted(stage);
      if (missing > 0)
        found.push(
          `stage "${stage.stage}" took in ${plural(stage.in, 'row')} of ${flow.source} and lost ${missing} without a reason`,
        );
      if (missing < 0)
        found.push(
          `stage "${stage.stage}" passed on ${plural(-missing, 'row')} of ${flow.source} more than it took in, without a reason`,
        );
      if (!stage.readToEnd && stage === stopped.get(stage.branch))
        found.push(
          `stage "${stage.stage}" stopped reading ${flow.source} before its end, after ${plural(stage.in, 'row')}`,
        );
    }
    for (const sink of flow.sinks) {
      if (sink.counted !== null && sink.counted !== sink.handed)
        found.push(`${sink.sink} was handed ${plural(sink.handed, 'row')} and holds ${sink.counted}`);
    }
  }
  return found;
}

/** The totals that a summary shows. */
export interface Totals {
  readonly read: number;
  readonly rejected: number;
  readonly skipped: number;
  readonly rejectReasons: Reasons;
  /** Rows left out and rows left as they were, by reason. */
  readonly skipReasons: Reasons;
  /** Part of `skipped`: rows left as they were because something is wrong with them. */
  readonly left: number;
}

/**
 * Adds up the accounts of all flows. `read` counts records at the sources. A row that one branch of a fork
 * leaves out has gone into another, so only what is skipped, kept or left before any fork counts as skipped.
 */
export function totals(flows: readonly FlowAccount[]): Totals {
  let read = 0;
  const rejectReasons: Record<string, number> = {};
  const skipReasons: Record<string, number> = {};
  let left = 0;
  for (const flow of flows) {
    read += flow.stages[0]?.in ?? 0;
    for (const stage of flow.stages) {
      tallyAll(rejectReasons, stage.rejected);
      if (stage.branch !== '') continue;
      left += sum(stage.left ?? {});
      tallyAll(skipReasons, stage.skipped, stage.kept, stage.left ?? {});
    }
  }
  return { read, rejected: sum(rejectReasons), skipped: sum(skipReasons), rejectReasons, skipReasons, left };
}
