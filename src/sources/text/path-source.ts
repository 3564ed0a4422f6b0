import { remoteErrors } from '../../core/errors/catalogue/remote.js';
import { isRemote } from '../../core/input-url.js';
import type { Cut, CutOptions, PartReader, Uncut } from '../../core/parts.js';
import type { AnyRow, Row } from '../../core/row.js';
import type { Run } from '../../core/run.js';
import type { RowFormat, Source } from '../../core/types.js';
import { displayName, openBytes, STDIN } from '../bytes/open.js';
import { checkFile } from './check.js';
import { inChunks } from './chunks.js';

/** How what is at a path is read, in pieces of any size. */
export interface PathReading {
  readonly format: RowFormat;
  readonly columns: readonly string[] | undefined;
  /** Reads it afresh at every call. */
  batches(run: Run): AsyncIterable<readonly Row[]>;
  /** See `Source.cut`. */
  cut?(run: Run, how: CutOptions): Promise<Cut | Uncut>;
  /** See `Source.partReader`; exactly where there is a `cut`. */
  partReader?(run: Run, opening: unknown): Promise<PartReader>;
}

/** What a reading of parts elsewhere is told: the version that was cut, and what the format says of the beginning. */
interface Told {
  readonly tag: string | undefined;
  readonly opening: unknown;
}

/** Throws refused `changed_while_read` where what is at `path` is not of the version that was cut. */
async function assertTag(path: string, run: Run, was: string | undefined, at: number): Promise<void> {
  const is = (await openBytes(path, run))?.tag;
  if (is !== was)
    throw remoteErrors.changed_while_read({ input: displayName(path), at, was: was ?? '', is: is ?? '' });
}

/** The source of what is at `path` (`-` is stdin), whatever its format. */
export function pathSource<R extends AnyRow = Row>(path: string, reading: PathReading): Source<R> {
  const { format, columns, batches, cut, partReader } = reading;
  const read: Source['read'] = (run) => inChunks(batches(run));
  return {
    name: path === STDIN ? path : displayName(path),
    kind: path === STDIN ? 'stdin' : 'file',
    format,
    ...(columns !== undefined && { columns }),
    check: (run) => checkFile(path, run, read),
    bytes: (around) => openBytes(path, around),
    read: read as Source<R>['read'],
    ...(cut === undefined
      ? {}
      : {
          async cut(run, how) {
            const opened = await cut(run, how);
            if ('rows' in opened || !isRemote(path)) return opened;
            const told: Told = { tag: (await openBytes(path, run))?.tag, opening: opened.opening };
            return { ...opened, opening: told };
          },
        }),
    ...(partReader === undefined
      ? {}
      : {
          async partReader(run, told) {
            if (!isRemote(path)) return partReader(run, told);
            const { tag, opening } = told as Told;
            const reader = await partReader(run, opening);
            return {
              ...reader,
              async part(place, bytes) {
                if (bytes === undefined) await assertTag(path, run, tag, place.start);
                return reader.part(place, bytes);
              },
            };
          },
        }),
  };
}
