import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { remoteErrors } from '../../core/errors/catalogue/remote.js';
import type { InputBytes } from '../../core/input-bytes.js';
import type { Log } from '../../core/run.js';
import { READ_BYTES } from '../bytes/local.js';
import { stopIfAborted } from '../bytes/stop.js';
import {
  type Answer,
  Changed,
  isStrong,
  NoSuchRange,
  Passing,
  type Transport,
  type Validators,
} from './answer.js';
import { type RemoteTiming, Tries } from './retry.js';

/**
 * So much of the beginning is asked for at first, and kept: it tells what it is, and is all that a look at it reads; small
 * inputs are whole then.
 */
export const HEAD_BYTES = 640 << 10;

/** A Last-Modified is in seconds: what was written in this last one may be written to and not look it. */
const YOUNG_MS = 2_000;

/** Encodings that are told by their first bytes, as those of files are. */
const ENCODED = new Set(['gzip', 'x-gzip', 'zstd']);

/** How it is asked for, and what came of it first. */
interface Opened extends Validators {
  readonly size: number | undefined;
  readonly seekable: boolean;
  readonly encoded: boolean;
  readonly young: boolean;
  readonly head: Buffer;
}

/**
 * What is at a URL, in the version that was there when it was opened: every answer is held against that. Whatever breaks
 * off is gone on with at the byte where it did.
 */
export class RemoteBytes implements InputBytes {
  readonly path = undefined;
  readonly name: string;

  private constructor(
    private readonly transport: Transport,
    private readonly timing: RemoteTiming,
    private readonly opened: Opened,
    private readonly log: Log | undefined,
  ) {
    this.name = transport.name;
  }

  /** Asks for its beginning. Throws as `Transport.ask` does; failed `input_out_of_reach`, `bad_answer`; interrupted. */
  static async open(
    transport: Transport,
    timing: RemoteTiming,
    signal: AbortSignal,
    log?: Log,
  ): Promise<RemoteBytes> {
    const tries = new Tries(transport.name, timing);
    for (let inParts = true; ; ) {
      try {
        return new RemoteBytes(transport, timing, await begin(transport, timing, signal, inParts), log);
      } catch (error) {
        stopIfAborted({ signal });
        if (error instanceof NoSuchRange && inParts) inParts = false;
        else if (error instanceof Passing) await tries.pause(error, 0, signal);
        else throw error;
      }
    }
  }

  get size() {
    return this.opened.size;
  }

  get seekable() {
    return this.opened.seekable;
  }

  get encoded() {
    return this.opened.encoded;
  }

  get modified() {
    const at = Date.parse(this.opened.modified ?? '');
    return Number.isNaN(at) ? undefined : new Date(at).toISOString();
  }

  get version() {
    return isStrong(this.opened.etag) ? `etag ${this.opened.etag}` : undefined;
  }

  get tag() {
    return versionText(this.opened);
  }

  get content() {
    const { etag, young } = this.opened;
    if (!isStrong(etag) || young) return undefined;
    return createHash('sha256')
      .update(JSON.stringify([this.name, etag]))
      .digest('hex');
  }

  close(): void {
    this.transport.close();
  }

  async *read(signal: AbortSignal, from = 0, until?: number): AsyncGenerator<Buffer, void> {
    const { head, size } = this.opened;
    const to = size === undefined ? until : Math.min(until ?? size, size);
    let at = from;
    for (const end = Math.min(head.length, to ?? head.length); at < end; ) {
      const bytes = head.subarray(at, Math.min(at + READ_BYTES, end));
      at += bytes.length;
      yield bytes;
    }
    const tries = new Tries(this.name, this.timing);
    while (to === undefined || at < to) {
      let answer: Answer | undefined;
      try {
        answer = await this.#ask(at, to, signal);
        // Where a server gives no parts, what stands before is read and let go.
        let skip = at - answer.start;
        for await (const buffer of bodyOf(answer.body, this.timing.idleMs)) {
          stopIfAborted({ signal });
          const found = buffer.subarray(skip, skip + (to === undefined ? buffer.length : to - at));
          skip = Math.max(0, skip - buffer.length);
          if (found.length === 0) continue;
          at += found.length;
          tries.progress();
          yield found;
          if (at === to) break;
        }
        stopIfAborted({ signal });
        if (to === undefined || size === undefined) return;
        if (at < to) throw new Passing(`it ended ${to - at} bytes too early`);
      } catch (error) {
        stopIfAborted({ signal });
        if (!(error instanceof Passing)) throw error;
        this.#assertKnown(error, at, from);
        this.log?.warn(`${this.name} broke off and is gone on with`, { offset: at, why: error.message });
        await tries.pause(error, at, signal);
      } finally {
        answer?.body.destroy();
      }
    }
  }

  async #ask(at: number, to: number | undefined, signal: AbortSignal): Promise<Answer> {
    const { etag, modified, seekable, size } = this.opened;
    const part = seekable ? { from: at, ...(to === undefined || to === size ? {} : { to }) } : { from: 0 };
    let answer: Answer;
    try {
      answer = await this.transport.ask({ ...part, of: { etag, modified }, signal });
    } catch (error) {
      if (error instanceof NoSuchRange && error.size === size)
        throw new Passing('the server says that there are no such bytes');
      if (error instanceof Changed || error instanceof NoSuchRange) throw this.#changed(at, undefined);
      throw error;
    }
    const other = differ(etag, answer.etag) || differ(modified, answer.modified) || differ(size, answer.size);
    if (!other && answer.start <= at) return answer;
    answer.body.destroy();
    if (other) throw this.#changed(at, answer);
    const why = `asked for byte ${at}, it gives those from ${answer.start} on`;
    throw remoteErrors.bad_answer({ input: this.name, why });
  }

  /** What comes next must be known to be of the same version. */
  #assertKnown(error: Passing, at: number, from: number): void {
    const { etag, modified } = this.opened;
    if (isStrong(etag) || modified !== undefined || (at === from && at === 0)) return;
    const why = error.message;
    throw remoteErrors.input_out_of_reach.once({ input: this.name, why, at }, { cause: error });
  }

  #changed(at: number, answer: Answer | undefined) {
    const { etag, modified, size } = this.opened;
    const [was, is] = [{ etag, modified, size }, answer].map((of) => versionText(of));
    return remoteErrors.changed_while_read({ input: this.name, at, was: was as string, is: is as string });
  }
}

const differ = <T>(one: T | undefined, other: T | undefined) =>
  one !== undefined && other !== undefined && one !== other;

function versionText(of: (Validators & { readonly size: number | undefined }) | undefined): string {
  if (of === undefined) return 'another version now';
  const { etag, modified, size } = of;
  return [
    ...(etag === undefined ? [] : [`ETag ${etag}`]),
    ...(modified === undefined ? [] : [`Last-Modified ${modified}`]),
    ...(size === undefined ? [] : [`${size} bytes`]),
  ].join(', ');
}

async function begin(
  transport: Transport,
  timing: RemoteTiming,
  signal: AbortSignal,
  inParts: boolean,
): Promise<Opened> {
  let answer: Answer;
  try {
    answer = await transport.ask({ from: 0, ...(inParts ? { to: HEAD_BYTES } : {}), signal });
  } catch (error) {
    if (!(error instanceof NoSuchRange) || error.size !== 0) throw error;
    return {
      ...{ etag: undefined, modified: undefined, young: true, encoded: false },
      ...{ size: 0, seekable: true, head: Buffer.alloc(0) },
    };
  }
  const { etag, modified, date, encoding, partial, size } = answer;
  // The parts of something that nobody knows the size of end nowhere.
  if (partial && size === undefined) {
    answer.body.destroy();
    throw new NoSuchRange(undefined);
  }
  const kept: Buffer[] = [];
  let length = 0;
  // Some servers have a part of nothing, too.
  if (size === 0) answer.body.destroy();
  for await (const buffer of size === 0 ? [] : bodyOf(answer.body, timing.idleMs)) {
    kept.push(buffer);
    length += buffer.length;
    if (length > HEAD_BYTES) break;
  }
  stopIfAborted({ signal });
  const whole = length <= HEAD_BYTES && (!partial || length === size);
  const due = Math.min(size ?? length, partial ? HEAD_BYTES : (size ?? length), HEAD_BYTES + 1);
  if (length < due) throw new Passing(`it ended ${due - length} bytes too early`);
  const wrong = encoding?.toLowerCase();
  if (wrong !== undefined && !ENCODED.has(wrong))
    throw remoteErrors.bad_answer({
      input: transport.name,
      why: `it is encoded as ${wrong}, which nobody asked for`,
    });
  return {
    ...{ etag, modified, encoded: wrong !== undefined },
    size: whole ? length : size,
    seekable: partial || whole,
    young: !transport.etagOfContent && isYoung(modified, date),
    head: Buffer.concat(kept).subarray(0, HEAD_BYTES),
  };
}

/** Both by the server's clock. */
function isYoung(modified: string | undefined, date: string | undefined): boolean {
  const age = Date.parse(date ?? '') - Date.parse(modified ?? '');
  return !Number.isNaN(age) && age < YOUNG_MS;
}

/** The bytes of an answer. Throws Passing where they end too early, or none come for `idleMs` while one is waited for. */
async function* bodyOf(body: Readable, idleMs: number): AsyncGenerator<Buffer, void> {
  let waiting = true;
  const watch = setTimeout(() => {
    // Whoever reads may take their time.
    if (waiting) body.destroy(new Passing(`nothing came for ${idleMs / 1000} s`));
  }, idleMs);
  try {
    for await (const buffer of body as AsyncIterable<Buffer>) {
      waiting = false;
      yield buffer;
      waiting = true;
      watch.refresh();
    }
  } catch (error) {
    throw error instanceof Passing
      ? error
      : new Passing(error instanceof Error ? error.message : String(error), undefined, { cause: error });
  } finally {
    clearTimeout(watch);
    body.destroy();
  }
}
