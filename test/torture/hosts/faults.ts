import { generator } from '../../../samples/lot-consolidation/system.js';
import type { Running } from '../../support/cli.js';
import { until } from '../../support/until.js';
import { type Cluster, whyNoClock } from './cluster.js';
import { type Caught, caught, MOMENTS, type Moment } from './moments.js';
import { CUTS } from './network.js';
import { STOPS } from './server.js';

export const KINDS = [
  'worker killed',
  'worker stopped',
  'host cut off',
  'starter killed',
  'server restarted',
  'clock off',
] as const;
export type Kind = (typeof KINDS)[number];

/** What strikes, and where a part is then. */
interface Case {
  readonly kind: Kind;
  readonly moment: Moment;
}

/** All cases in turn: each kind at each moment. */
const CASES: readonly Case[] = MOMENTS.flatMap((moment) => KINDS.map((kind) => ({ kind, moment })));

/** A fault as its number and the seed make it. */
export interface Fault extends Case {
  readonly number: number;
  readonly random: () => number;
}

/** How long what came of it took, in milliseconds from the fault on, or, for `back`, from its end on. */
export interface Times {
  /** Until the part was in the ledger, by whomever. */
  part?: number;
  /** Until the server had none of the sessions any more that were struck. */
  sessions?: number;
  /** Until the struck worker was there again. */
  back?: number;
  /** Until the batch was published. */
  published?: number;
}

/** What a fault did. */
export interface Struck {
  /** Whom, and how. */
  readonly what: string;
  readonly times: Times;
}

/** The faults of a seed, from 1 on; kinds that cannot be are left out. */
export function faultOf(seed: number, number: number): Fault {
  const cases = CASES.filter(({ kind }) => kind !== 'clock off' || whyNoClock() === undefined);
  const one = cases[(number - 1) % cases.length] as Case;
  return { ...one, number, random: generator(seed * 100_003 + number) };
}

/** Catches a worker of the batch that `starter` has begun at the fault's moment, and strikes. Throws where it cannot. */
export async function strike(cluster: Cluster, fault: Fault, starter: Running): Promise<Struck> {
  const { kind, moment, random } = fault;
  const found = await caught(cluster, moment, random);
  const { host } = found;
  const times: Times = {};
  const since = performance.now();
  const passed = () => performance.now() - since;
  switch (kind) {
    case 'worker killed': {
      const gone = await sessionsOf(cluster, cluster.address(host.name));
      host.running.child.kill('SIGKILL');
      await host.running.ended;
      await found.lift();
      await othersHaveIt(cluster, found, gone, times, passed);
      await back(cluster, times);
      return { what: `the worker on ${host.name} is killed`, times };
    }
    case 'worker stopped': {
      const gone = await sessionsOf(cluster, cluster.address(host.name));
      host.running.child.kill('SIGSTOP');
      try {
        await found.lift();
        await othersHaveIt(cluster, found, gone, times, passed);
      } finally {
        host.running.child.kill('SIGCONT');
      }
      await back(cluster, times);
      return { what: `the worker on ${host.name} is stopped, and goes on`, times };
    }
    case 'host cut off': {
      const how = pick(CUTS, random);
      const gone = await sessionsOf(cluster, cluster.address(host.name));
      await cluster.cut(host.name, how);
      try {
        await found.lift();
        await othersHaveIt(cluster, found, gone, times, passed);
      } finally {
        await cluster.mend(host.name);
      }
      await back(cluster, times);
      return { what: `${host.name} is cut off (${how}), and comes back`, times };
    }
    case 'starter killed': {
      starter.child.kill('SIGKILL');
      await starter.ended;
      await found.lift();
      return { what: 'the run is killed', times };
    }
    case 'server restarted': {
      const how = pick(STOPS, random);
      await cluster.restart(how);
      await found.lift();
      await back(cluster, times);
      return { what: `the server is stopped by ${how} and started again`, times };
    }
    case 'clock off': {
      // The fault was there before; another worker dies meanwhile.
      const off = cluster.names.find((name) => cluster.clockOff(name) !== 0) as string;
      const other = host.name === off ? undefined : host;
      other?.running.child.kill('SIGKILL');
      await other?.running.ended;
      await found.lift();
      if (other !== undefined) await othersHaveIt(cluster, found, [], times, passed);
      const shown = await until('rows that the host has loaded', async () =>
        cluster.clockOf(cluster.host(off)),
      );
      const seconds = Math.round((shown - Date.now()) / 1000);
      if (Math.abs(seconds - cluster.clockOff(off)) > 120)
        throw new Error(`the clock of ${off} is off by ${seconds} s`);
      if (other !== undefined) await back(cluster, times);
      const died = other === undefined ? '' : `, and the worker on ${other.name} is killed`;
      return { what: `the clock of ${off} is off by ${cluster.clockOff(off)} s${died}`, times };
    }
  }
}

interface Session {
  readonly pid: number;
  readonly since: string;
}

async function sessionsOf(cluster: Cluster, address: string): Promise<Session[]> {
  return cluster.query<{ pid: number; since: string }>(
    'SELECT pid, backend_start::text AS since FROM pg_stat_activity WHERE client_addr = $1',
    [address],
  );
}

/** Waits until the part is in the ledger though its worker is gone, and the server has none of its sessions any more. */
async function othersHaveIt(
  cluster: Cluster,
  { batch, start }: Caught,
  sessions: readonly Session[],
  times: Times,
  passed: () => number,
): Promise<void> {
  await Promise.all([
    until('the part in the ledger', async () => {
      const [row] = await cluster.query(
        'SELECT FROM sluice.migration_part WHERE batch_id = $1 AND starts_at = $2',
        [batch, start],
      );
      return row !== undefined;
    }).then(() => {
      times.part = passed();
    }),
    until('the end of the sessions', async () => {
      const left = await cluster.query(
        `SELECT FROM pg_stat_activity a JOIN unnest($1::int[], $2::text[]) AS gone (pid, since)
           ON a.pid = gone.pid AND a.backend_start::text = gone.since`,
        [sessions.map(({ pid }) => pid), sessions.map((each) => each.since)],
      );
      return left.length === 0;
    }).then(() => {
      times.sessions = passed();
    }),
  ]);
}

async function back(cluster: Cluster, times: Times): Promise<void> {
  const since = performance.now();
  await cluster.allAtWork();
  times.back = performance.now() - since;
}

function pick<T>(from: readonly T[], random: () => number): T {
  return from[Math.floor(random() * from.length)] as T;
}
