import { elementAt } from '../element.js';
import { generator } from '../lot-consolidation/system.js';

/** What decides the generated system; the same values give the same system, to the byte. */
export interface SystemOptions {
  /** How many tasks to make, exactly. */
  readonly tasks: number;
  /** How many timers they have together, exactly. */
  readonly timers: number;
  /** Any integer. */
  readonly seed: number;
  /** Share of tasks whose costs are out of date by a unit of their currency. Default: 0.001. */
  readonly stale?: number;
}

/** A finished timer; times are UTC. */
interface Timer {
  readonly id: number;
  readonly user: number;
  readonly start: string;
  readonly finish: string;
}

/** Hours in tenths and costs in hundredths: `[ww, ah, su]` each. */
export interface Cost {
  readonly hours: readonly [number, number, number];
  readonly costs: readonly [number, number, number];
}

/** A task with its timers, and its costs by user (undefined where nobody worked on it). */
export interface Task {
  readonly number: number;
  readonly key: string;
  readonly currency: string;
  readonly timers: readonly Timer[];
  readonly byUser: ReadonlyMap<number, Cost>;
  readonly cost: Cost | undefined;
  readonly done: boolean;
  readonly planned: boolean;
}

/** A person: paid in one currency, better from RAISE on. Hourly rates in hundredths. */
export interface Person {
  readonly id: number;
  readonly currency: string;
  readonly hourly: number;
  readonly raised: number;
}

/** The first day on which everybody is paid better: a Wednesday. */
export const RAISE = '2025-01-01';
/** A Monday; the days of the generated timers are counted from it. */
const FIRST_DAY = Date.UTC(2024, 5, 3);
const RAISE_DAY = (Date.UTC(2025, 0, 1) - FIRST_DAY) / 86_400_000;
/** Days are those of Europe/Istanbul, three hours before UTC's, all year round. */
const ZONE = 3 * 3_600_000;

/** The people who work on the tasks: 30 paid in EUR, 10 in TRY. */
export const people: readonly Person[] = Array.from({ length: 40 }, (_, i) => ({
  id: i + 1,
  currency: i < 30 ? 'EUR' : 'TRY',
  hourly: i < 30 ? 1500 + 37 * i : 30_000 + 1111 * (i - 30),
  raised: i < 30 ? 1650 + 41 * i : 36_000 + 1234 * (i - 30),
}));

/** Minutes of a local day at which a timer starts, by what it is: [earliest, latest], and its length in tenths of an hour. */
type Kind = { readonly day: 'weekday' | 'saturday' | 'sunday'; readonly split: (tenths: number) => Split };
interface Split {
  readonly from: number;
  readonly hours: readonly [number, number, number];
}

const KINDS: readonly Kind[] = [
  { day: 'weekday', split: (n) => ({ from: 8 * 60, hours: [n, 0, 0] }) },
  { day: 'weekday', split: (n) => ({ from: 9 * 60 + 6, hours: [n, 0, 0] }) },
  { day: 'weekday', split: (n) => ({ from: 17 * 60, hours: [0, n, 0] }) },
  // The last hour of the workday, and on.
  { day: 'weekday', split: (n) => ({ from: 16 * 60, hours: [Math.min(n, 10), Math.max(0, n - 10), 0] }) },
  { day: 'saturday', split: (n) => ({ from: 8 * 60, hours: [0, n, 0] }) },
  { day: 'sunday', split: (n) => ({ from: 10 * 60, hours: [0, 0, n] }) },
  // Over the midnight before a Sunday.
  { day: 'saturday', split: (n) => ({ from: 23 * 60, hours: [0, Math.min(n, 10), Math.max(0, n - 10)] }) },
];

/** The tasks of a system, one by one; nothing is held but the one at hand. */
export function* tasks(options: SystemOptions): Generator<Task> {
  const { tasks: count, timers, seed, stale = 0.001 } = options;
  const random = generator(seed);
  const base = count === 0 ? 0 : Math.floor(timers / count);
  let left = timers;
  let timerId = 0;
  let swing = 0;
  for (let i = 0; i < count; i++) {
    // What one task has more, the next one has less.
    swing = i % 2 === 0 ? Math.floor(random() * (base + 1)) : -swing;
    const extra = i < timers - base * count ? 1 : 0;
    const own = i === count - 1 ? left : Math.min(left, Math.max(0, base + swing + extra));
    left -= own;
    const inLira = random() < 0.2;
    const team = Array.from({ length: 1 + Math.floor(random() * 3) }, () =>
      inLira ? 31 + Math.floor(random() * 10) : 1 + Math.floor(random() * 30),
    );
    const made: Timer[] = [];
    const worked = new Map<number, { hours: [number, number, number]; units: [number, number, number] }>();
    for (let n = 0; n < own; n++) {
      const user = elementAt(team, Math.floor(random() * team.length));
      const kind = elementAt(KINDS, Math.floor(random() * KINDS.length));
      const tenths = 1 + Math.floor(random() * 30);
      const week = Math.floor(random() * 52);
      const weekday = kind.day === 'saturday' ? 5 : kind.day === 'sunday' ? 6 : Math.floor(random() * 5);
      const day = week * 7 + weekday;
      const { from, hours } = kind.split(tenths);
      const start = FIRST_DAY - ZONE + day * 86_400_000 + from * 60_000;
      made.push({ id: ++timerId, user, start: utc(start), finish: utc(start + tenths * 360_000) });
      add(worked, user, hours, day);
    }
    const byUser = new Map([...worked].map(([user, work]) => [user, costOf(work)]));
    const off = random() < stale ? 100 : 0;
    yield {
      number: i + 1,
      key: `M-${String(i + 1).padStart(7, '0')}${i % 500 === 0 ? '/A' : ''}`,
      currency: inLira ? 'TRY' : 'EUR',
      timers: made,
      byUser,
      cost: byUser.size === 0 ? undefined : total([...byUser.values()], off),
      done: random() < 0.7,
      planned: random() < 0.3,
    };
  }
}

function add(
  worked: Map<number, { hours: [number, number, number]; units: [number, number, number] }>,
  user: number,
  hours: readonly [number, number, number],
  day: number,
): void {
  const known = worked.get(user) ?? { hours: [0, 0, 0], units: [0, 0, 0] };
  worked.set(user, known);
  const { hourly, raised } = elementAt(people, user - 1);
  for (const at of [0, 1, 2] as const) {
    // The Sunday hours of a timer from Saturday are the next day's.
    const on = at === 2 && day % 7 === 5 ? day + 1 : day;
    known.hours[at] += hours[at];
    // Twentieths of a hundredth: tenths of hours, times 1, 1.5 and 2.
    known.units[at] += hours[at] * (on >= RAISE_DAY ? raised : hourly) * (at + 2);
  }
}

/** Rounded half up, as numeric is. */
function costOf({
  hours,
  units,
}: {
  hours: [number, number, number];
  units: [number, number, number];
}): Cost {
  const [ww, ah, su] = units;
  const rounded = (each: number) => Math.floor((each + 10) / 20);
  return { hours, costs: [rounded(ww), rounded(ah), rounded(su)] };
}

function total(all: readonly Cost[], off: number): Cost {
  const hours: [number, number, number] = [0, 0, 0];
  const costs: [number, number, number] = [off, 0, 0];
  for (const cost of all)
    for (const kind of [0, 1, 2] as const) {
      hours[kind] += cost.hours[kind];
      costs[kind] += cost.costs[kind];
    }
  return { hours, costs };
}

const utc = (time: number) => `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')}+00`;
