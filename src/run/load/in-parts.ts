import type { FlowPlan } from '../../core/flow.js';
import type { MetPart } from '../../core/parts.js';
import type { TablePlace } from './place.js';

/** A flow that is loaded in parts, and what is known of it. */
export interface InParts {
  readonly flow: number;
  readonly plan: FlowPlan;
  readonly place: TablePlace;
  readonly known: readonly MetPart[];
  /** How many sessions fill the table at once. */
  readonly lanes: number;
}
