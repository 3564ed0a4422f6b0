import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Cluster, whyNoClock } from './cluster.js';
import { KINDS, type Kind, type Times } from './faults.js';
import { MOMENTS } from './moments.js';
import { type Round, Rounds } from './rounds.js';

export interface HostsOptions {
  /** How many hosts there are, of which one has the server. */
  readonly hosts: number;
  readonly faults: readonly number[];
  readonly seed: number;
  /** Clusters at once, each of which takes a fault at a time. */
  readonly lanes: number;
  /** Where all their files go; one that other accounts can reach. */
  readonly folder: string;
  /** Aborted when it is to stop: the hosts are taken away. */
  readonly signal?: AbortSignal;
  readonly say?: (line: string) => void;
}

/** Strikes clusters of hosts with the faults of these numbers, one after the other, and gives what came of each. */
export async function strikeHosts(options: HostsOptions): Promise<Round[]> {
  const { hosts, seed, signal = new AbortController().signal, say = () => {} } = options;
  const faults = [...options.faults];
  const rounds: Round[] = [];
  const lane = async (number: number) => {
    const folder = join(options.folder, `lane-${number}`);
    mkdirSync(folder);
    const cluster = await Cluster.make(folder, hosts);
    const asked = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    const striking = async () => {
      const all = await Rounds.begin(cluster);
      for (let next = faults.shift(); next !== undefined; next = faults.shift()) {
        const round = await all.round(seed, next);
        rounds.push(round);
        say(line(round));
        for (const each of round.wrong) say(`   wrong: ${each}`);
        if (round.wrong.length > 0)
          say(`   again: npm run torture -- --hosts ${hosts} --seed ${seed} --fault ${round.fault.number}`);
      }
    };
    try {
      await Promise.race([asked, striking()]);
    } finally {
      await cluster.end();
    }
  };
  const lanes = Array.from({ length: Math.min(options.lanes, faults.length) }, (_, at) => lane(at + 1));
  // What one of them has made is taken away as well where another fails.
  for (const ended of await Promise.allSettled(lanes)) if (ended.status === 'rejected') throw ended.reason;
  return rounds;
}

const TIMES = ['part', 'sessions', 'back', 'published'] as const;

const NAMES: Readonly<Record<keyof Times, string>> = {
  part: 'its part loaded',
  sessions: 'its sessions ended',
  back: 'back at work',
  published: 'published',
};

function line({ fault, what, times, resumed, wrong }: Round): string {
  const took = TIMES.flatMap((time) => {
    const ms = times[time];
    return ms === undefined ? [] : [`${NAMES[time]} after ${(ms / 1000).toFixed(1)} s`];
  });
  const again = resumed === 0 ? [] : [`resumed ${resumed} times`];
  const end = wrong.length === 0 ? 'all as it should be' : `${wrong.length} wrong`;
  return `${fault.number}. ${fault.kind} ${fault.moment}: ${[what ?? 'it did not strike', ...took, ...again, end].join(', ')}`;
}

/** How often each kind struck at each moment, and how long what came of it took: the median and the longest. */
export function hostsTable(rounds: readonly Round[]): string[] {
  const lines: string[] = [];
  for (const kind of KINDS) {
    const why = kind === 'clock off' ? whyNoClock() : undefined;
    if (why !== undefined) lines.push(`${kind}: not tried, for ${why}`);
    for (const moment of MOMENTS) {
      const these = rounds.filter(({ fault }) => fault.kind === kind && fault.moment === moment);
      const struck = these.filter(({ what }) => what !== undefined);
      if (these.length === 0) continue;
      const took = TIMES.flatMap((time) => {
        const all = struck.flatMap(({ times }) => times[time] ?? []).sort((a, b) => a - b);
        return all.length === 0
          ? []
          : [`${NAMES[time]} ${seconds(all[all.length >> 1])} (${seconds(all.at(-1))})`];
      });
      lines.push(`${kind} ${moment}: ${struck.length} of ${these.length} struck there; ${took.join(', ')}`);
    }
  }
  return lines;
}

const seconds = (ms: number | undefined): string => `${((ms ?? 0) / 1000).toFixed(1)} s`;

/** Kinds of which none struck, though they can. */
export function missedKinds(rounds: readonly Round[]): Kind[] {
  return KINDS.filter(
    (kind) =>
      !(kind === 'clock off' && whyNoClock() !== undefined) &&
      !rounds.some(({ fault, what }) => fault.kind === kind && what !== undefined),
  );
}
