import { type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One process run once. CPU (user and system) and peak memory are its own, without the server's. */
export interface Measured {
  readonly seconds: number;
  readonly cpuSeconds: number | null;
  readonly peakMb: number | null;
}

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** A file that is piped into the process. */
  readonly stdin?: string;
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Exit codes besides 0 that are no failure. */
  readonly codes?: readonly number[];
}

/** GNU time, which measures any process; without it only Node processes are measured, by themselves. */
const GNU_TIME = '/usr/bin/time';
const hasGnuTime = existsSync(GNU_TIME) && spawnSync(GNU_TIME, ['-f', '%M', 'true']).status === 0;

/** Whether `program` can be started at all. */
export function installed(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}

/** Runs a command to its end. Throws with the end of its output where it fails. */
export async function measure(command: Command): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  const told = join(folder, 'usage');
  const isNode = command.program === process.execPath;
  const preload = isNode && !hasGnuTime ? ['--import', usageHook, ...command.args] : [...command.args];
  const [program, args] = hasGnuTime
    ? [GNU_TIME, ['-o', told, '-f', '%U %S %M', command.program, ...preload]]
    : [command.program, preload];
  const options: SpawnOptions = {
    cwd: command.cwd,
    env: { ...process.env, ...command.env, SLUICE_BENCH_USAGE: told },
  };
  try {
    const from = performance.now();
    // A pipe as a shell would make it, which costs this process nothing.
    const feeder =
      command.stdin === undefined
        ? undefined
        : spawn('cat', [command.stdin], { stdio: ['ignore', 'pipe', 'inherit'] });
    const child = spawn(program, args, { ...options, stdio: [feeder?.stdout ?? 'ignore', 'pipe', 'pipe'] });
    feeder?.stdout?.destroy();
    let said = '';
    const hear = (text: Buffer) => {
      said = (said + text).slice(-4000);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    const seconds = (performance.now() - from) / 1000;
    if (code !== 0 && command.codes?.includes(code ?? -1) !== true)
      throw new Error(
        `${command.program} ${command.args.join(' ').slice(0, 200)} ended with ${code}:\n${said}`,
      );
    if (!existsSync(told)) return { seconds, cpuSeconds: null, peakMb: null };
    // GNU time puts a line of its own before, where the exit code was not 0.
    const figures = readFileSync(told, 'utf8').trim().split('\n').at(-1) as string;
    const [user, system, kilobytes] = figures.split(' ').map(Number) as [number, number, number];
    return { seconds, cpuSeconds: user + system, peakMb: kilobytes / 1024 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const usageHook = fileURLToPath(new URL('./usage-hook.js', import.meta.url));
