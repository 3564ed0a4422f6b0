import type { Readable } from 'node:stream';

/** What tells a version of what is at a URL from another one; each as the server wrote it. */
export interface Validators {
  readonly etag: string | undefined;
  /** Last-Modified. */
  readonly modified: string | undefined;
}

/** A part of what is at a URL. */
export interface Asked {
  readonly from: number;
  /** Left out: to the end. */
  readonly to?: number;
  /** The version that is meant; left out, whatever there is. */
  readonly of?: Validators;
  readonly signal: AbortSignal;
}

/** The beginning of an answer, and its bytes to come. */
export interface Answer extends Validators {
  /** Where in the whole the first byte of `body` is: 0 where the server does not give parts. */
  readonly start: number;
  /** Whether it gives parts. */
  readonly partial: boolean;
  /** Of the whole, in bytes; undefined where the server does not say. */
  readonly size: number | undefined;
  /** By the server's clock, as it wrote it. */
  readonly date: string | undefined;
  /** Content-Encoding; undefined where there is none. */
  readonly encoding: string | undefined;
  readonly body: Readable;
}

/** How a server is asked; `RemoteBytes` asks again where that may help, and holds answers against each other. */
export interface Transport {
  /** As messages name what is asked for. */
  readonly name: string;
  /** Its ETags are of the content: not, as those of some servers, of time and size. */
  readonly etagOfContent: boolean;
  /** Throws Passing, Changed, NoSuchRange, or a SluiceError that asking again does not change. */
  ask(asked: Asked): Promise<Answer>;
  close(): void;
}

/** Something that may pass: another attempt is worth it. */
export class Passing extends Error {
  /** `afterMs`: how long the server wants to be left alone. */
  constructor(
    message: string,
    readonly afterMs?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What is there is not what was asked for. */
export class Changed extends Error {}

/** There are no such bytes; `size`: how many there are, where the server says so. */
export class NoSuchRange extends Error {
  constructor(readonly size: number | undefined) {
    super('there are no such bytes');
  }
}

/** An ETag that is another one as soon as a byte is: RFC 9110 8.8.3. */
export const isStrong = (etag: string | undefined): etag is string =>
  etag !== undefined && etag !== '' && !etag.startsWith('W/');

/** `bytes 0-99/1000`; undefined where it is none. `size` is undefined where a star stands for it. */
export function contentRange(
  text: string | undefined,
): { readonly start: number; readonly size: number | undefined } | undefined {
  const found = /^bytes (\d+)-\d+\/(?:(\d+)|\*)$/i.exec(text?.trim() ?? '');
  if (found === null) return undefined;
  return { start: Number(found[1]), size: found[2] === undefined ? undefined : Number(found[2]) };
}

/** The size in the Content-Range of an answer that there are no such bytes. */
export function sizeOfNone(text: string | undefined): number | undefined {
  const found = /^bytes \*\/(\d+)$/i.exec(text?.trim() ?? '');
  return found === null ? undefined : Number(found[1]);
}

/** The Range of what is asked for; undefined for all of it. */
export function rangeOf({ from, to }: Pick<Asked, 'from' | 'to'>): string | undefined {
  if (from === 0 && to === undefined) return undefined;
  return `bytes=${from}-${to === undefined ? '' : to - 1}`;
}
