import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ScenarioName } from './scenarios.js';

const CLIENT = fileURLToPath(new URL('./client.js', import.meta.url));

/** How an attempt ended. */
interface AttemptEnd {
  /** `done`, `failed {…}`, or nothing where it was killed. */
  readonly said: string;
  /** Milliseconds that each phase took. */
  readonly phases: ReadonlyMap<string, number>;
}

/** A client at work in a process of its own. */
export interface Attempt {
  readonly child: ChildProcess;
  /** Resolves when `phase` has begun, or the client has ended. */
  begun(phase: string): Promise<void>;
  readonly ended: Promise<AttemptEnd>;
}

/** Starts a client on the database at `url`. */
export function start(scenario: ScenarioName, url: string, verb: string, batch = ''): Attempt {
  const child = spawn(process.execPath, ['--enable-source-maps', CLIENT, scenario, url, verb, batch], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const at = new Map<string, number>();
  const phases = new Map<string, number>();
  const waiting: { readonly phase: string; readonly wake: () => void }[] = [];
  let said = '';
  let current = '';
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const now = performance.now();
      if (current !== '') phases.set(current, now - (at.get(current) ?? now));
      if (line === 'done' || line.startsWith('failed ')) said = line;
      else {
        current = line;
        at.set(line, now);
      }
      for (const each of waiting) if (each.phase === line) each.wake();
    }
  });
  const ended = once(child, 'close').then((): AttemptEnd => ({ said, phases }));
  return {
    child,
    ended,
    begun: (phase) =>
      Promise.race([
        new Promise<void>((wake) => {
          if (at.has(phase)) wake();
          else waiting.push({ phase, wake });
        }),
        ended.then(() => {}),
      ]),
  };
}
