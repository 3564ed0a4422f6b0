/** What one part costs, measured with one worker. */
interface PartCost {
  /** Seconds that it takes where nobody is in its way, with the pause before the worker has the next. */
  readonly seconds: number;
  /** CPU seconds of the worker's process. */
  readonly workerCpu: number;
  /** CPU seconds of the server's. */
  readonly serverCpu: number;
}

export interface Load {
  readonly parts: number;
  readonly cost: PartCost;
  /** Seconds in which the starter cuts one part; parts come one after the other. */
  readonly cutSeconds: number;
  /** Seconds of what one session does before and after: checks, staging, indexes, publish. */
  readonly aloneSeconds: number;
}

export interface Fleet {
  readonly hosts: number;
  /** Cores of each host, and parts that it loads at once. */
  readonly hostCores: number;
  readonly jobs: number;
  readonly serverCores: number;
  /** The workers run on the server's own cores; `hostCores` then counts for nothing. */
  readonly onServer?: boolean;
  /** How fast each host is; 1 where it is not named. */
  readonly speeds?: readonly number[];
  /** Seconds after which a host dies, by its number; it comes back at once, without its parts. */
  readonly deaths?: readonly { readonly host: number; readonly at: number }[];
  /** Seconds until the parts of a dead host are others' (measured). */
  readonly noticeSeconds?: number;
}

export interface Outcome {
  /** Of the load. */
  readonly loadSeconds: number;
  /** With what one session does. */
  readonly seconds: number;
  /** Share of the server's cores that the load keeps busy while it lasts. */
  readonly serverBusy: number;
  /** Parts that were begun in vain. */
  readonly retries: number;
  /** What a further host would have to wait for. */
  readonly limit: 'workers' | 'server' | 'cutting' | 'last parts';
}

interface Active {
  readonly host: number;
  /** Share of the part that is left. */
  left: number;
  /** Parts a second. */
  speed: number;
}

/**
 * Plays a load through, from one event to the next: a part is cut, is finished, or is lost with its host. Between two events
 * parts go on at speeds that the cores of their hosts and of the server allow: each at its own, all of a host or of the
 * server slower by the same factor where they want more cores than there are. Nothing is drawn at random.
 */
export function simulate(load: Load, fleet: Fleet): Outcome {
  const { parts, cost, cutSeconds, aloneSeconds } = load;
  const { hosts, jobs, noticeSeconds = 0 } = fleet;
  const deaths = [...(fleet.deaths ?? [])].sort((a, b) => a.at - b.at);
  const lost: number[] = [];
  const active: Active[] = [];
  let [now, cut, waiting, done, retries, serverSeconds] = [0, 0, 0, 0, 0, 0];
  /** Seconds in which hosts stood idle because nothing was cut, and because nothing was left. */
  let [starved, drained, atCeiling] = [0, 0, 0];
  while (done < parts) {
    while (waiting > 0) {
      const host = freest(active, fleet);
      if (host === undefined) break;
      active.push({ host, left: 1, speed: 0 });
      waiting--;
    }
    const bound = setSpeeds(active, cost, fleet);
    const next = Math.min(
      cut < parts ? (cut + 1) * cutSeconds : Number.POSITIVE_INFINITY,
      deaths[0]?.at ?? Number.POSITIVE_INFINITY,
      lost[0] ?? Number.POSITIVE_INFINITY,
      ...active.map(({ left, speed }) => now + left / speed),
    );
    const passed = next - now;
    for (const part of active) {
      part.left -= part.speed * passed;
      serverSeconds += part.speed * cost.serverCpu * passed;
    }
    if (active.length < hosts * jobs) {
      if (cut < parts) starved += passed;
      else drained += passed;
    } else if (bound) atCeiling += passed;
    now = next;
    while (cut < parts && (cut + 1) * cutSeconds <= now) {
      cut++;
      waiting++;
    }
    while (deaths[0] !== undefined && deaths[0].at <= now) {
      const { host } = deaths.shift() as { host: number };
      for (let at = active.length - 1; at >= 0; at--)
        if (active[at]?.host === host) {
          active.splice(at, 1);
          lost.push(now + noticeSeconds);
          retries++;
        }
    }
    while (lost[0] !== undefined && lost[0] <= now) {
      lost.shift();
      waiting++;
    }
    for (let at = active.length - 1; at >= 0; at--)
      if ((active[at] as Active).left <= 1e-9) {
        active.splice(at, 1);
        done++;
      }
  }
  const waits = { cutting: starved, 'last parts': drained, server: atCeiling };
  const most = (Object.keys(waits) as (keyof typeof waits)[]).reduce((a, b) => (waits[b] > waits[a] ? b : a));
  return {
    loadSeconds: now,
    seconds: now + aloneSeconds,
    serverBusy: serverSeconds / (now * fleet.serverCores),
    retries,
    limit: waits[most] > now / 4 ? most : 'workers',
  };
}

/** The host that has most to spare; undefined where all have as many parts as they take. */
function freest(active: readonly Active[], { hosts, jobs, speeds }: Fleet): number | undefined {
  const busy = new Array<number>(hosts).fill(0);
  for (const { host } of active) busy[host] = (busy[host] as number) + 1;
  let found: number | undefined;
  for (let host = 0; host < hosts; host++) {
    if ((busy[host] as number) >= jobs) continue;
    const load = (at: number) => (busy[at] as number) / (speeds?.[at] ?? 1);
    if (found === undefined || load(host) < load(found)) found = host;
  }
  return found;
}

/** Gives every part its speed; whether the server's cores were too few for all. */
function setSpeeds(active: readonly Active[], cost: PartCost, fleet: Fleet): boolean {
  const { hostCores, serverCores, onServer = false, speeds } = fleet;
  const wanted = new Map<number, number>();
  for (const part of active) {
    const own = cost.workerCpu * (1 / (speeds?.[part.host] ?? 1) - 1);
    part.speed = 1 / (cost.seconds + own);
    const cpu = part.speed * (cost.workerCpu + own);
    wanted.set(part.host, (wanted.get(part.host) ?? 0) + cpu);
  }
  if (!onServer)
    for (const part of active)
      part.speed *= Math.min(1, hostCores / Math.max(wanted.get(part.host) ?? 0, 1e-12));
  const each = cost.serverCpu + (onServer ? cost.workerCpu : 0);
  const all = active.reduce((sum, { speed }) => sum + speed * each, 0);
  const share = Math.min(1, serverCores / Math.max(all, 1e-12));
  for (const part of active) part.speed *= share;
  return share < 1;
}
