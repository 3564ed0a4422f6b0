import type { Cut, CutOptions, MetPart, Part, PartReader, Uncut } from '../../core/parts.js';
import type { Row } from '../../core/row.js';
import type { Run } from '../../core/run.js';
import { READ_BYTES } from '../bytes/local.js';
import { displayName } from '../bytes/open.js';
import { inChunks } from '../text/chunks.js';
import { type NamedColumns, nameColumns } from '../text/columns.js';
import { type Cutting, cutText, PART_BYTES, type PartText, piecesOf, type Whole } from '../text/cutter.js';
import { TextFeed } from '../text/feed.js';
import { LineSplitter, lineTooLong } from '../text/lines.js';
import { partText } from '../text/part-text.js';
import { layoutOf } from './layout.js';
import { batchesOf, MAX_LINE_BYTES, rowsOfLines } from './lines.js';
import type { JsonlOptions } from './options.js';

/** What a part has to say of the columns that the flow relies on: those that no record up to its end has had. */
interface Unseen {
  readonly unseen: readonly string[];
  /** The records that it has. */
  readonly rows: number;
}

/** A file of JSON Lines cut into parts; where it is none after all, it is read in one piece. */
export async function cutLines(
  path: string,
  options: JsonlOptions,
  run: Run,
  { known, partBytes = PART_BYTES }: CutOptions,
): Promise<Cut | Uncut> {
  const feed = await TextFeed.open(path, run, options, partBytes + READ_BYTES);
  const input = displayName(path);
  const maxRecordBytes = options.maxRecordBytes ?? MAX_LINE_BYTES;
  try {
    await feed.fill(1);
    if (layoutOf(feed.held) === 'values')
      return {
        rows: (its) => inChunks(batchesOf(path, { ...options, opened: feed.rest() }, its)),
        why: 'it is JSON, and no JSON Lines',
      };
    const passed = known.filter(({ pass }) => pass);
    const cutting: Cutting = {
      input,
      at: { offset: 0, line: 1 },
      known,
      partBytes,
      maxRecordBytes,
      whole: wholeLines,
      tooLong: (_, at) => lineTooLong(input, at, maxRecordBytes),
    };
    const columns = nameColumns(input, unseenAfter(options.columns, passed), passed.length > 0);
    return {
      opening: null,
      byPlace: feed.jumps,
      async part(place, bytes) {
        const text = await partText(path, options, run, place, bytes);
        return linesPart(text, input, maxRecordBytes, columns);
      },
      async *parts() {
        for await (const text of cutText(feed, cutting))
          yield linesPart(text, input, maxRecordBytes, columns);
      },
      end(notes) {
        for (const { unseen } of notes as readonly Unseen[]) columns.heard(unseen);
        columns.assertSeen((notes as readonly Unseen[]).reduce((all, { rows }) => all + rows, 0));
      },
    };
  } catch (error) {
    await feed.close();
    throw error;
  }
}

/** Gives parts of a file that `cutLines` has cut. */
export function linesParts(path: string, options: JsonlOptions, run: Run): PartReader {
  const input = displayName(path);
  const columns = nameColumns(input, options.columns);
  return {
    async part(place, bytes) {
      const text = await partText(path, options, run, place, bytes);
      return linesPart(text, input, options.maxRecordBytes ?? MAX_LINE_BYTES, columns);
    },
  };
}

/** Those of `columns` that none of the parts has had. */
function unseenAfter(columns: readonly string[] = [], passed: readonly MetPart[]): readonly string[] {
  return columns.filter((column) =>
    passed.every(({ note }) => (note as Unseen | undefined)?.unseen.includes(column) ?? true),
  );
}

/** Every line feed ends a line, wherever it stands: in JSON text it is written as an escape. */
function wholeLines(bytes: Buffer, final: boolean): Whole {
  const end = final ? bytes.length : bytes.lastIndexOf(10) + 1;
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0 && at < end; at = bytes.indexOf(10, at + 1)) lines++;
  return { end, lines: final && end > 0 && bytes[end - 1] !== 10 ? lines + 1 : lines };
}

function linesPart(text: PartText, input: string, maxRecordBytes: number, columns: NamedColumns): Part {
  let records = 0;
  async function* rows(run: Run): AsyncGenerator<readonly Row[], void> {
    records = 0;
    const { start, line, bytes } = text;
    const splitter = new LineSplitter(input, maxRecordBytes, { offset: start, line });
    const lines = rowsOfLines(splitter, columns, run);
    for (const piece of piecesOf(bytes)) yield counted(lines.push(piece));
    yield counted(lines.end());
  }
  const counted = (batch: readonly Row[]) => {
    records += batch.length;
    return batch;
  };
  return {
    ...text,
    read: (run) => inChunks(rows(run)),
    note: (): Unseen => ({ unseen: columns.unseen, rows: records }),
  };
}
