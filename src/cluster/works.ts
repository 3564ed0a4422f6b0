import type { PartPlace } from '../core/parts.js';
import type { Queue, QueuedPart } from './queue.js';

/** A part as it is taken. */
export interface TakenPart {
  readonly place: PartPlace;
  /** What is known of its flow. */
  readonly task: unknown;
  /** How often it was begun, this time among them. */
  readonly tries: number;
}

/** What a worker does with the parts that it takes. */
export interface Works {
  /** Its sessions, and the target's, have the worker's name (`workerName`). */
  readonly queue: Queue;
  /** The worker's number: that of its lock. */
  readonly lock: number;
  /** How many parts at once. */
  readonly jobs: number;
  /** The pipelines that it may run, by name. */
  readonly pipelines: readonly string[];
  /** Ends when there is nothing to do. */
  readonly once: boolean;
  /** Aborted when it is to stop: what is under way is finished first. */
  readonly signal: AbortSignal;
  /** Loads a part: how many rows it had. `signal` is aborted where its batch has ended. */
  load(part: QueuedPart, taken: TakenPart, signal: AbortSignal): Promise<number>;
  /** What is to become of a part that could not be loaded: another has it, tries later, the batch fails of it. */
  judge(error: unknown): 'done' | 'left' | 'again' | 'failed';
  say(text: string): void;
}
