import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks of /proc a second, on every Linux that Node runs on. */
const TICKS = 100;

interface Times {
  readonly parent: number;
  /** CPU seconds, user and system, of the process itself. */
  readonly own: number;
  /** Of its children that have ended. */
  readonly ended: number;
}

/** CPU seconds of a process that runs. */
export const cpuOf = (pid: number): number => timesOf(pid)?.own ?? 0;

/** CPU seconds of a process and of all children that it has or had: for a postmaster, the whole server's. */
export function cpuOfAll(pid: number): number {
  const { own = 0, ended = 0 } = timesOf(pid) ?? {};
  let sum = own + ended;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const times = timesOf(Number(name));
    if (times?.parent === pid) sum += times.own + times.ended;
  }
  return sum;
}

/** See proc_pid_stat(5): the name in brackets may hold anything, what follows is numbers. */
function timesOf(pid: number): Times | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [user, system, endedUser, endedSystem] = fields.slice(11, 15).map(Number) as [
      number,
      number,
      number,
      number,
    ];
    return {
      parent: Number(fields[1]),
      own: (user + system) / TICKS,
      ended: (endedUser + endedSystem) / TICKS,
    };
  } catch {
    return undefined;
  }
}
