import { setTimeout as sleep } from 'node:timers/promises';
import { fileErrors } from '../core/errors/catalogue/files.js';
import { headerErrors } from '../core/errors/catalogue/headers.js';
import type { Cut, CutOptions, Part, Uncut } from '../core/parts.js';
import { silenced } from '../core/quiet-run.js';
import type { Row, Rows } from '../core/row.js';
import type { Run } from '../core/run.js';
import type { Source } from '../core/types.js';
import { isRejects } from '../run/resubmit/rejects-given.js';
import { displayName, openBytes } from '../sources/bytes/open.js';
import { type FileOptions, fileSource, formatFor } from '../sources/file.js';
import { hasColumns } from '../sources/format.js';
import { type Surroundings, silentRun } from './silent-run.js';

/** Of what is read again so much is looked at: no first rows take more, but for a record that is as long. */
const LOOK_BYTES = 512 << 10;

/** How long rows of a pipe are waited for once its header is read. */
const WAIT_MS = 300;

/** The beginning of an input, and the whole of it as a source. */
export interface Head {
  /** What the file's columns are called (see `callColumns`); for JSON the keys of the first rows. */
  readonly columns: readonly string[];
  readonly json: boolean;
  readonly rows: readonly Row[];
  readonly source: Source;
  /** Closes the input if its reading has begun. Idempotent. */
  release(): Promise<void>;
}

/**
 * Reads the first rows of the file at `path`. A regular file is closed again and opened anew when the source
 * is read. Stdin, a FIFO or a device can be read only once: it stays open, and its source goes on where the
 * head ends, the head's rows, rejects and skipped rows first. Where its rows are slow to come its header is enough: the
 * guard is to stand before they do.
 *
 * `rename` is told the columns before the first row is made, and gives new names to those of a CSV file; of one of
 * JSON it is told the keys of the first rows, and no header. Throws what reading throws, and what `rename` throws.
 */
export async function readHead(
  path: string,
  options: FileOptions,
  context: Surroundings,
  rename: (
    called: readonly string[],
    header: readonly string[] | undefined,
  ) => Readonly<Record<string, string>> = () => ({}),
): Promise<Head> {
  const once = (await openBytes(path, silentRun(context))) === undefined;
  let columns: readonly string[] | undefined;
  let named = () => {};
  const isNamed = new Promise<void>((resolve) => {
    named = resolve;
  });
  const source = namingSource(path, options, (called, header) => {
    columns = called;
    const names = rename(called, header);
    // Names that were given are held against the first row, which may be a header; rejects are known by theirs.
    if (once && options.columns === undefined && !isRejects(called)) named();
    return names;
  });
  // Keys of JSON that are given need not be looked for.
  if (once && options.columns !== undefined && !hasColumns(formatFor(path, options))) named();
  const begun = begin(source, context, once ? {} : { partBytes: LOOK_BYTES });
  try {
    const first = await begun.first(isNamed);
    const json = columns === undefined;
    if (columns === undefined) {
      columns = options.columns ?? [...new Set(first.flatMap((row) => Object.keys(row)))];
      if (columns.length === 0) throw noRows(path);
      rename(columns, undefined);
    }
    if (!once) await begun.release();
    return {
      columns,
      json,
      rows: first,
      source: once ? { ...begun.source, format: json ? 'json' : 'csv' } : source,
      release: () => begun.release(),
    };
  } catch (error) {
    await begun.release();
    throw error;
  }
}

/** The file at `path`; if it is CSV, `map` is asked for its columns' names before the first row is made. */
export function namingSource(
  path: string,
  options: FileOptions,
  map: (called: readonly string[], header: readonly string[]) => Readonly<Record<string, string>>,
): Source {
  return fileSource(path, hasColumns(formatFor(path, options)) ? { ...options, map } : options);
}

const noRows = (path: string) => headerErrors.no_columns.withoutRows({ input: displayName(path) });

/** `source`, its reading begun before there is a run to tell of it. */
function begin(source: Source, context: Surroundings, how: Omit<CutOptions, 'known'>) {
  const stop = new AbortController();
  const relay = relayRun(context, stop);
  const opening = open(source, relay.run, how);
  opening.catch(() => {});
  let late = false;
  let taken = false;
  /** What was opened, for the one reading that there can be. */
  const takeOnce = () => {
    if (taken) throw fileErrors.stdin_already_read({ input: source.name, shown: displayName(source.name) });
    taken = true;
  };
  const take = async (run: Run) => {
    takeOnce();
    relay.attach(run);
    return opening;
  };
  return {
    /** The first rows; none where they have not come `WAIT_MS` after it was known what the columns are called. */
    async first(named: Promise<void>): Promise<readonly Row[]> {
      const slow = named.then(() => sleep(WAIT_MS, undefined, { ref: false }));
      const got = await Promise.race([opening.then(({ first }) => ({ first })), slow]);
      late = got === undefined;
      return got?.first ?? [];
    },
    async release() {
      // A generator that waits for rows ends once it has them, or is told to.
      if (late && !taken) stop.abort(new Error('given up'));
      await opening.then(({ close }) => close()).catch(() => {});
      relay.release();
    },
    source: {
      ...source,
      // What there is to check has been seen.
      check: async () => {},
      async *read(run: Run) {
        const opened = await take(run);
        try {
          yield* opened.rows(run);
        } finally {
          await opened.close();
        }
      },
      async cut(run: Run) {
        takeOnce();
        relay.heed(run);
        const { cut } = await opening;
        if (!('rows' in cut)) {
          relay.attach(run);
          return cut;
        }
        // Whoever cuts does not count: the reader is told what was rejected so far.
        return {
          ...cut,
          rows(its: Run) {
            relay.attach(its);
            return cut.rows(its);
          },
        };
      },
    } satisfies Source as Source,
  };
}

/** An input that can be read once, opened. */
interface Opened {
  readonly first: readonly Row[];
  readonly cut: Cut | Uncut;
  /** All of its rows, in place of `cut`. */
  rows(run: Run): Rows;
  close(): Promise<void>;
}

/** Opens `source` and reads its beginning; `run` is told of what is in there where it is not cut. */
async function open(source: Source, run: Run, how: Omit<CutOptions, 'known'>): Promise<Opened> {
  const cut = (await source.cut?.(run, { ...how, known: [] })) ?? { rows: (its: Run) => source.read(its) };
  return 'rows' in cut ? inOnePiece(cut, run) : inParts(cut, run);
}

async function inOnePiece(uncut: Uncut, run: Run): Promise<Opened> {
  const chunks = uncut.rows(run)[Symbol.asyncIterator]();
  const first = await chunks.next();
  async function* all(): Rows {
    if (first.done === true) return;
    yield first.value;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
  }
  return {
    first: first.done === true ? [] : first.value,
    cut: { rows: all },
    rows: all,
    close: async () => {
      await chunks.return?.();
    },
  };
}

async function inParts(cut: Cut, run: Run): Promise<Opened> {
  const parts = cut.parts();
  const head = await parts.next();
  let first: readonly Row[] = [];
  // Whoever loads the part reads it again, and is told what is wrong in it.
  if (head.done !== true)
    for await (const chunk of head.value.read(silenced(run))) {
      first = chunk;
      break;
    }
  async function* all(): AsyncGenerator<Part, void> {
    if (head.done === true) return;
    try {
      yield head.value;
      yield* parts;
    } finally {
      await parts.return();
    }
  }
  return {
    first,
    cut: { ...cut, parts: all },
    async *rows(its) {
      const notes: unknown[] = [];
      for await (const part of all()) {
        yield* part.read(its);
        notes.push(part.note?.());
        part.release();
      }
      cut.end?.(notes.filter((note) => note !== undefined));
    },
    close: async () => {
      await parts.return();
    },
  };
}

/** A run that remembers what a source of files tells it, until the real one is attached. */
function relayRun(context: Surroundings, stop: AbortController) {
  let real: Run | undefined;
  let waiting: ((run: Run) => void)[] = [];
  const tell = (what: (run: Run) => void) => {
    if (real === undefined) waiting.push(what);
    else what(real);
  };
  const heed = (signal: AbortSignal) => {
    const abort = () => stop.abort(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    return () => signal.removeEventListener('abort', abort);
  };
  let unheed = heed(context.signal);
  const run: Run = {
    ...silentRun(context),
    signal: stop.signal,
    reject: (row, why) => tell((to) => to.reject(row, why)),
    skip: (reason, rows) => tell((to) => to.skip(reason, rows)),
    progress: (position) => tell((to) => to.progress(position)),
  };
  return {
    run,
    release: () => unheed(),
    /** Ends when `to` does; it is told of nothing yet. */
    heed(to: Run) {
      unheed();
      unheed = heed(to.signal);
    },
    attach(to: Run) {
      real = to;
      unheed();
      unheed = heed(to.signal);
      const told = waiting;
      waiting = [];
      for (const what of told) what(to);
    },
  };
}
