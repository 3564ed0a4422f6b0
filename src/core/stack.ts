import { fileURLToPath } from 'node:url';
import { packageRoot } from './package.js';

/** A line of a stack trace that says where. */
const FRAME = /^\s+at .+$/;

/** The stack trace of whatever threw first: that of the innermost cause which has one; undefined where nothing has. */
export function stackOf(error: unknown): string | undefined {
  let stack: string | undefined;
  for (let at = error, depth = 0; at instanceof Error && depth < 10; at = at.cause, depth += 1)
    if (at.stack !== undefined && FRAME_IN.test(at.stack)) stack = at.stack;
  return stack;
}

const FRAME_IN = /^[ \t]+at /m;

/** The frames alone, without what was said, which may hold values. */
export function framesOf(stack: string): string[] {
  return stack.split('\n').filter((line) => FRAME.test(line));
}

/** Of a stack trace the frames of a user's own code: not Sluice's, not Node's, no package's; paths, no URLs. */
export function userFrames(stack: string): string[] {
  return framesOf(stack).flatMap((line) => {
    if (/[ (]node:/.test(line)) return [];
    const behind = /:(\d{1,9}):(\d{1,9})\)?$/.exec(line);
    const place = behind === null ? undefined : placeIn(line.slice(0, behind.index));
    if (behind === null || place === undefined) return [];
    const [, row, column] = behind;
    const path = pathOf(place);
    if (path.startsWith(`${packageRoot}/`) || path.includes('/node_modules/')) return [];
    const name = /^\s+at (?:async )?(.+?) \(/.exec(line)?.[1];
    return [`${name === undefined || name === '<anonymous>' ? '' : `${name}, `}${path}:${row}:${column}`];
  });
}

/** The URL or the path that a frame ends with, before its line and column. */
function placeIn(frame: string): string | undefined {
  const url = frame.indexOf('file://');
  const from = url < 0 ? frame.indexOf('/') : url;
  return from < 0 ? undefined : frame.slice(from);
}

function pathOf(place: string): string {
  if (!place.startsWith('file:')) return place;
  try {
    return fileURLToPath(place);
  } catch {
    return place;
  }
}
