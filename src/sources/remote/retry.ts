import { setTimeout as sleep } from 'node:timers/promises';
import { remoteErrors } from '../../core/errors/catalogue/remote.js';
import { untilAborted } from '../../core/until-aborted.js';
import type { Passing } from './answer.js';

/** How long anything may take, and how often it is tried. */
export interface RemoteTiming {
  /** Until there is a connection. */
  readonly connectMs: number;
  /** Until an answer begins. */
  readonly answerMs: number;
  /** Without a byte while one is waited for. */
  readonly idleMs: number;
  /** The first pause before another attempt; each is twice the one before, up to `mostPauseMs`. */
  readonly pauseMs: number;
  readonly mostPauseMs: number;
  /** Attempts in a row that give no byte. */
  readonly attempts: number;
  /** How long such attempts go on. */
  readonly giveUpMs: number;
  /** The longest that a server may want to be left alone. */
  readonly mostAfterMs: number;
}

/** SLUICE_HTTP_TIMEOUT (in seconds) says how long a slow server is waited for. */
export function remoteTiming(environment: NodeJS.ProcessEnv = process.env): RemoteTiming {
  const seconds = Number(environment.SLUICE_HTTP_TIMEOUT);
  const wanted = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
  return {
    connectMs: 15_000,
    answerMs: wanted ?? 120_000,
    idleMs: wanted ?? 60_000,
    pauseMs: 500,
    mostPauseMs: 15_000,
    attempts: 7,
    giveUpMs: Math.max(300_000, 2 * (wanted ?? 0)),
    mostAfterMs: 300_000,
  };
}

/** Attempts at reading what is called `name`. */
export class Tries {
  #failed = 0;
  #since = 0;

  constructor(
    private readonly name: string,
    private readonly timing: RemoteTiming,
  ) {}

  /** Bytes came: what went wrong before is over. */
  progress(): void {
    this.#failed = 0;
  }

  /**
   * Waits until another attempt at byte `at` is due. Throws failed `input_out_of_reach` where there were enough of them, or
   * the server wants to be left alone for too long; interrupted.
   */
  async pause(error: Passing, at: number, signal: AbortSignal): Promise<void> {
    const { attempts, giveUpMs, pauseMs, mostPauseMs, mostAfterMs } = this.timing;
    const { message: why, afterMs } = error;
    if (this.#failed === 0) this.#since = performance.now();
    this.#failed++;
    const of = { input: this.name, why };
    if (afterMs !== undefined && afterMs > mostAfterMs)
      throw remoteErrors.input_out_of_reach.later(
        { ...of, seconds: Math.ceil(afterMs / 1000) },
        { cause: error },
      );
    if (this.#failed >= attempts || performance.now() - this.#since > giveUpMs)
      throw remoteErrors.input_out_of_reach.broken({ ...of, at, times: this.#failed }, { cause: error });
    const pause = Math.min(mostPauseMs, pauseMs * 2 ** (this.#failed - 1));
    await untilAborted(sleep(Math.max(pause, afterMs ?? 0), undefined, { ref: true }), signal);
  }
}

/** Retry-After, in ms from `now`: seconds or a date. Undefined where it is neither. */
export function retryAfter(text: string | undefined, now = Date.now()): number | undefined {
  if (text === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
