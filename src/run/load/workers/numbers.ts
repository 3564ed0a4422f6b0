import { rowsBefore, rowsBeforePart } from '../../../../sinks/load/encode/ordinal.js';

/**
 * The number of the first reject of a flow's part that begins there: each host numbers its own, and no two numbers are the
 * same. Those of the run itself are below all of them.
 */
export const firstReject = (flow: number, start: number): number =>
  rowsBefore(flow + 1) + rowsBeforePart(start) + 1;

/** Whether a reject of that number was met by a worker in a part of the flow. */
export const isOfFlow = (number: number, flow: number): boolean =>
  number > rowsBefore(flow + 1) && number <= rowsBefore(flow + 2);
