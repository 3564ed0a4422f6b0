import Table from 'cli-table3';
import { type Load, simulate } from './model.js';

/** Medians of the runs with so many workers, and what the model says; seconds. */
interface Standing {
  readonly workers: number;
  readonly load: number;
  readonly whole: number;
  readonly workerCpu: number;
  readonly serverCpu: number;
  readonly modelled?: number;
}

/** Measured beside modelled, as a table for a terminal. */
export function compared(standings: readonly Standing[]): string {
  const table = tableOf([
    'workers',
    'load s',
    'model s',
    'model : load',
    'whole s',
    'CPU workers',
    'CPU server',
  ]);
  for (const { workers, load, modelled, whole, workerCpu, serverCpu } of standings)
    table.push([
      workers === 0 ? 'none' : String(workers),
      load.toFixed(2),
      modelled?.toFixed(2) ?? '',
      modelled === undefined ? '' : (modelled / load).toFixed(2),
      whole.toFixed(2),
      workerCpu.toFixed(2),
      serverCpu.toFixed(2),
    ]);
  return table.toString();
}

/** Cores of the servers, and hosts, that are played through. */
const SERVERS = [4, 16, 64];
const HOSTS = [1, 2, 4, 8, 16, 32, 64];

/**
 * What the model makes of larger fleets, `rows` in all: minutes of the load, its rows a second, and what a further host would
 * wait for. Then what a slow host and a death cost.
 */
export function beyond(load: Load, rows: number): string {
  const table = tableOf(['hosts', ...SERVERS.map((cores) => `server of ${cores} cores`)]);
  const fleet = { hostCores: 2, jobs: 2, noticeSeconds: 15 };
  for (const hosts of HOSTS)
    table.push([
      String(hosts),
      ...SERVERS.map((serverCores) => {
        const { loadSeconds, limit } = simulate(load, { ...fleet, hosts, serverCores });
        const rate = Math.round(rows / loadSeconds / 1000);
        return `${minutes(loadSeconds)}, ${rate}k rows/s, ${limit}`;
      }),
    ]);
  const eight = { ...fleet, hosts: 8, serverCores: 16 };
  const still = simulate(load, eight).loadSeconds;
  const at = still * 0.9;
  const slow = simulate(load, { ...eight, speeds: [0.25] }).loadSeconds;
  const death = simulate(load, { ...eight, deaths: [{ host: 3, at }] });
  return [
    table.toString(),
    `8 hosts, server of 16 cores: ${minutes(still)}; one of them at a quarter of its speed: ${minutes(slow)}; ` +
      `one dies after nine tenths: ${minutes(death.loadSeconds)}, ${death.retries} parts again`,
    `before and after the load one session is at work: ${minutes(load.aloneSeconds)} (measured, times the rows)`,
  ].join('\n');
}

const minutes = (seconds: number): string =>
  seconds < 100 ? `${seconds.toFixed(1)} s` : `${(seconds / 60).toFixed(1)} min`;

function tableOf(head: string[]) {
  return new Table({
    head,
    style: { head: [], border: [] },
    colAligns: ['left', ...head.slice(1).map(() => 'right' as const)],
  });
}
