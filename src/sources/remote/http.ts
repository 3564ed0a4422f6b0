import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { remoteErrors } from '../../core/errors/catalogue/remote.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';
import { packageVersion } from '../../core/package.js';
import { visible } from '../../core/visible.js';
import { stopIfAborted } from '../bytes/stop.js';
import {
  type Answer,
  type Asked,
  Changed,
  contentRange,
  isStrong,
  NoSuchRange,
  Passing,
  rangeOf,
  sizeOfNone,
  type Transport,
} from './answer.js';
import { type Login, loginFor } from './credentials.js';
import { networkError } from './network-error.js';
import { type Way, wayTo } from './proxy.js';
import { type RemoteTiming, retryAfter } from './retry.js';

/** How often an answer may be that it is elsewhere. */
const MOST_REDIRECTS = 10;

/** Of an answer that is none so much is looked at for what it says. */
const SAID_BYTES = 4096;

const SAID_MS = 2_000;

/** Answers that say: not now. */
const NOT_NOW = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Answers of a place that a redirect led to, which another redirect may replace: signed places expire. */
const STALE = new Set([400, 401, 403, 404, 410]);

/** A URL of http or https. */
export class HttpTransport implements Transport {
  readonly etagOfContent = false;
  /** Where the last redirect led. */
  #at: URL | undefined;
  /** Whether the server has answered before. */
  #met = false;
  readonly #ways = new Map<string, Way>();

  /** `url`: with the user and password in it; `name`: as it is shown. */
  constructor(
    private readonly url: URL,
    readonly name: string,
    private readonly timing: RemoteTiming,
  ) {}

  async ask(asked: Asked): Promise<Answer> {
    if (this.#at !== undefined) {
      const answer = await this.#answer(this.#at, asked);
      const { statusCode = 0 } = answer;
      if (!STALE.has(statusCode) && !isRedirect(answer)) return this.#judged(answer, this.#at);
      answer.destroy();
      this.#at = undefined;
    }
    let at = this.url;
    for (let times = 0; times <= MOST_REDIRECTS; times++) {
      const answer = await this.#answer(at, asked);
      if (!isRedirect(answer)) {
        if (times > 0) this.#at = at;
        return this.#judged(answer, at);
      }
      answer.destroy();
      at = this.#redirected(at, answer.headers.location as string);
    }
    throw remoteErrors.bad_redirect.endless({ input: this.name, times: MOST_REDIRECTS });
  }

  close(): void {
    for (const { agent } of this.#ways.values()) agent.destroy();
    this.#ways.clear();
  }

  #redirected(from: URL, location: string): URL {
    const to = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
    if (to === undefined || !/^https?:$/.test(to.protocol))
      throw remoteErrors.bad_redirect.nowhere({ input: this.name });
    // Whoever sends us on does not say who we are there.
    to.username = '';
    to.password = '';
    if (from.protocol === 'https:' && to.protocol === 'http:')
      throw remoteErrors.bad_redirect.insecure({ input: this.name, host: to.host });
    return to;
  }

  async #answer(at: URL, asked: Asked): Promise<IncomingMessage> {
    const { of, signal } = asked;
    const range = rangeOf(asked);
    const { headers } = loginFor(at, this.url);
    const sent = {
      'user-agent': `sluice/${packageVersion}`,
      accept: '*/*',
      // What is encoded on its way has no places to begin at.
      'accept-encoding': 'identity',
      ...(range === undefined ? {} : { range }),
      ...(isStrong(of?.etag)
        ? { 'if-match': of.etag }
        : of?.modified === undefined
          ? {}
          : { 'if-unmodified-since': of.modified }),
      ...headers,
    };
    try {
      const answer = await this.#request(at, sent, signal);
      this.#met = true;
      return answer;
    } catch (error) {
      stopIfAborted({ signal });
      throw networkError(error, this.name, at.host, this.#met);
    }
  }

  #request(at: URL, headers: http.OutgoingHttpHeaders, signal: AbortSignal): Promise<IncomingMessage> {
    const { connectMs, answerMs } = this.timing;
    const to = new URL(at);
    // Else Node makes a header of them.
    to.username = '';
    to.password = '';
    const way = this.#ways.get(to.origin) ?? wayTo(to);
    this.#ways.set(to.origin, way);
    const { agent, through } = way;
    const { request } = agent instanceof https.Agent ? https : http;
    return new Promise((resolve, reject) => {
      const sent = request(to, { ...through, agent, signal, headers: { ...headers, ...through.headers } });
      const late = setTimeout(
        () => sent.destroy(new Passing(`no answer within ${answerMs / 1000} s`)),
        answerMs,
      );
      let connecting: NodeJS.Timeout | undefined;
      sent.on('socket', (socket) => {
        if (!socket.connecting) return;
        connecting = setTimeout(
          () => sent.destroy(new Passing(`no connection within ${connectMs / 1000} s`)),
          connectMs,
        );
        socket.once('connect', () => clearTimeout(connecting));
      });
      sent.on('response', (answer) => {
        clearTimeout(late);
        resolve(answer);
      });
      sent.on('error', reject);
      sent.on('close', () => {
        clearTimeout(late);
        clearTimeout(connecting);
      });
      sent.end();
    });
  }

  /** The answer, where it is one; else throws what it says. */
  async #judged(answer: IncomingMessage, at: URL): Promise<Answer> {
    const { statusCode = 0, headers } = answer;
    const size = headers['content-length'] === undefined ? undefined : Number(headers['content-length']);
    const common = {
      etag: headers.etag,
      modified: headers['last-modified'],
      date: headers.date,
      encoding: plainEncoding(headers['content-encoding']),
      body: answer,
    };
    if (statusCode === 200) return { ...common, start: 0, partial: false, size };
    if (statusCode === 206) {
      const range = contentRange(headers['content-range']);
      if (range !== undefined) return { ...common, ...range, partial: true };
      answer.destroy();
      throw remoteErrors.bad_answer({ input: this.name, why: 'a part of it, and no word of which' });
    }
    const said = await saidBy(answer);
    throw this.#refused(statusCode, `${statusCode} ${answer.statusMessage ?? ''}`.trim(), {
      ...{ range: headers['content-range'], after: headers['retry-after'], said },
      login: loginFor(at, this.url),
    });
  }

  #refused(
    code: number,
    status: string,
    {
      range,
      after,
      said,
      login,
    }: {
      readonly range: string | undefined;
      readonly after: string | undefined;
      readonly said: string | undefined;
      readonly login: Login;
    },
  ): Error | SluiceError {
    if (code === 412) return new Changed(status);
    if (code === 416) return new NoSuchRange(sizeOfNone(range));
    if (NOT_NOW.has(code)) return new Passing(`the server says ${status}`, retryAfter(after));
    const of = { input: this.name, status };
    const known = said === undefined ? {} : { details: [`the server says: ${said}`] };
    const { from } = login;
    switch (code) {
      case 401:
        return from === undefined
          ? remoteErrors.url_denied.unknown(of, known)
          : remoteErrors.url_denied.wrong({ ...of, from }, known);
      case 403:
        return remoteErrors.url_denied.forbidden(of, known);
      case 407:
        return remoteErrors.url_denied.proxy(of, known);
      case 404:
      case 410:
        return remoteErrors.url_not_found(of, known);
      default:
        return remoteErrors.url_refused(of, known);
    }
  }
}

const isRedirect = ({ statusCode = 0, headers }: IncomingMessage) =>
  [301, 302, 303, 307, 308].includes(statusCode) && headers.location !== undefined;

/** What S3 notes of how an upload was sent says nothing of the bytes. */
export function plainEncoding(text: string | undefined): string | undefined {
  const left = (text ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => !/^(?:|identity|aws-chunked)$/i.test(each));
  return left.length === 0 ? undefined : left.join(', ');
}

/** The message in the body of an answer, where it has one that is meant for people. */
async function saidBy(answer: IncomingMessage): Promise<string | undefined> {
  let text = '';
  const late = setTimeout(() => answer.destroy(), SAID_MS);
  try {
    for await (const buffer of answer) {
      text += String(buffer);
      if (text.length > SAID_BYTES) break;
    }
  } catch {
    // It has said enough by its status.
  }
  clearTimeout(late);
  answer.destroy();
  const message = /<Message>([^<]{1,300})<\/Message>|"(?:message|error)"\s*:\s*"([^"\\]{1,300})"/i.exec(text);
  const said = message?.[1] ?? message?.[2];
  return said === undefined ? undefined : visible(said);
}
