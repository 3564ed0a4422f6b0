import type { FlowPlan } from '../../core/flow.js';
import type { KnownPart, MetPart } from '../../core/parts.js';
import { PINNED_BESIDE_CODE } from '../../db/pinned.js';
import { spareWriterSession, writerSession } from '../given/load-session.js';
import type { Job } from '../job/job.js';
import type { TablePlace } from './place.js';

/** A table of a flow that is loaded in parts, and what is known of it. */
interface TableInParts {
  /** The way to it. */
  readonly branch: string;
  readonly place: TablePlace;
  readonly known: readonly MetPart[];
}

/** A flow that is loaded in parts. */
export interface InParts {
  readonly flow: number;
  readonly plan: FlowPlan;
  /** In the order of its ends; at least one. */
  readonly tables: readonly [TableInParts, ...TableInParts[]];
  /** How many sessions fill the table at once. */
  readonly lanes: number;
  /** A table numbers its rows as they come: one session fills it, in the order of the input. */
  readonly inOrder: boolean;
}

/** What an earlier attempt has of a part that comes by again, by where it begins. */
export function knownAgain(known: readonly MetPart[]): (start: number) => KnownPart | undefined {
  const again = new Map(known.filter(({ pass }) => !pass).map((part) => [part.start, part]));
  return (start) => again.get(start);
}

/** A session for one more lane that fills `name`; undefined where there is none left, which the first lane (0) does not answer. */
export function laneSession(job: Job, name: string, lane: number) {
  const session = lane === 0 ? writerSession : spareWriterSession;
  return session(job.options.database, job.batch as string, `load ${name}`, PINNED_BESIDE_CODE);
}
