import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { type Duplex, PassThrough } from 'node:stream';
import tls from 'node:tls';
import { remoteErrors } from '../../core/errors/catalogue/remote.js';
import { basic, decoded } from './credentials.js';

/** How a server is reached: by an agent, and with what in its requests. */
export interface Way {
  readonly agent: http.Agent;
  /** Whom to connect to, and what to ask there, in place of the server itself: a proxy. */
  readonly through: Pick<http.RequestOptions, 'host' | 'port' | 'path' | 'headers'>;
}

/** A proxy that does not let a connection through. */
export class ProxyRefusal extends Error {
  constructor(
    readonly statusCode: number,
    readonly status: string,
  ) {
    super(`the proxy says ${status}`);
  }
}

/**
 * The way to `url`: through the proxy that the variables name for it (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, also
 * in lower case), else straight. Throws usage `bad_proxy`.
 */
export function wayTo(url: URL, environment: NodeJS.ProcessEnv = process.env): Way {
  const proxy = proxyFor(url, environment);
  const secure = url.protocol === 'https:';
  if (proxy === undefined)
    return {
      agent: secure ? new https.Agent({ keepAlive: true }) : new http.Agent({ keepAlive: true }),
      through: {},
    };
  const login =
    proxy.username === ''
      ? {}
      : { 'proxy-authorization': basic(decoded(proxy.username), decoded(proxy.password)) };
  if (secure) return { agent: new TunnelAgent(proxy, login), through: {} };
  const options = { keepAlive: true };
  return {
    agent: proxy.protocol === 'https:' ? new https.Agent(options) : new http.Agent(options),
    through: { ...addressOf(proxy), path: url.href, headers: { host: url.host, ...login } },
  };
}

/** The proxy that the variables name for `url`. */
function proxyFor(url: URL, environment: NodeJS.ProcessEnv): URL | undefined {
  const said = (name: string) => environment[name.toLowerCase()] || environment[name] || undefined;
  const scheme = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const named = said(scheme) === undefined ? 'ALL_PROXY' : scheme;
  const text = said(named);
  if (text === undefined || isExcepted(url, said('NO_PROXY') ?? '')) return undefined;
  const whole = /^[a-z0-9+.-]+:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(whole) || !/^https?:\/\//i.test(whole)) throw remoteErrors.bad_proxy({ variable: named });
  return new URL(whole);
}

/** Whether NO_PROXY names the host: itself, a domain that it is in, either with a port, or all (`*`). */
function isExcepted(url: URL, exceptions: string): boolean {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return exceptions
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((each) => each !== '')
    .some((each) => {
      const [, name = '', only] = /^(.*?)(?::(\d+))?$/.exec(each) ?? [];
      if (only !== undefined && only !== port) return false;
      const domain = name.replace(/^\*?\./, '');
      return name === '*' || url.hostname === domain || url.hostname.endsWith(`.${domain}`);
    });
}

const addressOf = (url: URL) => ({
  host: url.hostname.replace(/^\[|\]$/g, ''),
  port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
});

/** Speaks TLS with a server through a proxy, which passes it on as it is: CONNECT of RFC 9110 9.3.6. */
class TunnelAgent extends https.Agent {
  constructor(
    private readonly proxy: URL,
    private readonly login: http.OutgoingHttpHeaders,
  ) {
    super({ keepAlive: true });
  }

  override createConnection(
    options: https.RequestOptions,
    callback: (error: Error | null, stream: Duplex) => void = () => {},
  ): undefined {
    const { request } = this.proxy.protocol === 'https:' ? https : http;
    const host = options.host ?? '';
    const place = `${host.includes(':') ? `[${host}]` : host}:${options.port}`;
    const asked = request({
      ...addressOf(this.proxy),
      method: 'CONNECT',
      path: place,
      headers: { host: place, ...this.login },
      agent: false,
    });
    // The stream is not looked at where there is an error.
    const fail = (error: Error) => callback(error, new PassThrough());
    asked.once('error', fail);
    asked.once('connect', (answer, socket) => {
      const { statusCode = 0, statusMessage = '' } = answer;
      if (statusCode !== 200) {
        socket.destroy();
        fail(new ProxyRefusal(statusCode, `${statusCode} ${statusMessage}`));
        return;
      }
      const secured = tls.connect({ socket, host, servername: isIP(host) === 0 ? host : '' });
      callback(null, secured);
    });
    asked.end();
  }
}
