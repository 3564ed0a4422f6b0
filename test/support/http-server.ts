import { once } from 'node:events';
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** What stands at a path of the server. */
interface Served {
  readonly body: Buffer | string;
  readonly etag?: string;
  readonly modified?: string;
  /** false: a Range is not heard. */
  readonly ranges?: boolean;
  /** false: nobody is told how long it is. */
  readonly length?: boolean;
  /** false: If-Match is not heard. */
  readonly preconditions?: boolean;
  readonly headers?: http.OutgoingHttpHeaders;
}

/** What is done to an answer in place of giving it. */
type Fault =
  | { readonly status: number; readonly headers?: http.OutgoingHttpHeaders; readonly body?: string }
  /** The connection is cut, or nothing comes any more, after so many bytes of the body. */
  | { readonly cutAfter: number }
  | { readonly stallAfter: number }
  /** The body is said to be longer than it is, by so much. */
  | { readonly promise: number };

/** A request that came. */
interface Came {
  readonly path: string;
  readonly range: string | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly status: number;
  /** Bytes of the body that were given to the connection. */
  readonly sent: number;
}

export interface HttpServer {
  /** `http://localhost:PORT` */
  readonly origin: string;
  readonly port: number;
  readonly files: Map<string, Served>;
  /** Everything that came so far. */
  readonly came: Came[];
  /** Asked before each answer. */
  fault: (request: IncomingMessage, number: number) => Fault | undefined;
}

/** A server of HTTP, or of HTTPS where it is given a certificate; it ends with the test. */
export async function httpServer(t: TestContext, tls?: https.ServerOptions): Promise<HttpServer> {
  const files = new Map<string, Served>();
  const came: Came[] = [];
  const listener: RequestListener = (request, response) => {
    const at = came.length;
    const { url: path = '', headers } = request;
    came.push({ path, headers, range: headers.range, status: 0, sent: 0 });
    const note = (facts: Partial<Came>) => {
      came[at] = { ...(came[at] as Came), ...facts };
    };
    answer(files.get(path.split('?')[0] as string), request, response, made.fault(request, at + 1), note);
  };
  const server = tls === undefined ? http.createServer(listener) : https.createServer(tls, listener);
  server.listen(0, 'localhost');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const made: HttpServer = {
    origin: `${tls === undefined ? 'http' : 'https'}://localhost:${port}`,
    ...{ port, files, came, fault: () => undefined },
  };
  return made;
}

function answer(
  served: Served | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  fault: Fault | undefined,
  note: (facts: Partial<Came>) => void,
): void {
  const plain = (status: number, headers: http.OutgoingHttpHeaders = {}, body = '') => {
    note({ status });
    response.writeHead(status, headers).end(body);
  };
  if (fault !== undefined && 'status' in fault) {
    plain(fault.status, fault.headers, fault.body);
    return;
  }
  if (served === undefined) {
    plain(404);
    return;
  }
  const { etag, modified, ranges = true, length = true, preconditions = true, headers = {} } = served;
  const all = typeof served.body === 'string' ? Buffer.from(served.body) : served.body;
  const { range, 'if-match': ifMatch, 'if-unmodified-since': unmodified } = request.headers;
  const other =
    (ifMatch !== undefined && ifMatch !== etag) ||
    (unmodified !== undefined && Date.parse(modified ?? '') > Date.parse(unmodified));
  if (preconditions && other) {
    plain(412);
    return;
  }
  const found = ranges ? /^bytes=(\d+)-(\d*)$/.exec(range ?? '') : null;
  const start = found === null ? 0 : Number(found[1]);
  const end = found === null || found[2] === '' ? all.length : Math.min(Number(found[2]) + 1, all.length);
  if (found !== null && start >= all.length) {
    plain(416, { 'content-range': `bytes */${all.length}` });
    return;
  }
  const body = all.subarray(start, end);
  const promised = body.length + (fault !== undefined && 'promise' in fault ? fault.promise : 0);
  const status = found === null ? 200 : 206;
  note({ status });
  response.writeHead(status, {
    ...(etag === undefined ? {} : { etag }),
    ...(modified === undefined ? {} : { 'last-modified': modified }),
    ...(length ? { 'content-length': promised } : {}),
    ...(found === null ? {} : { 'content-range': `bytes ${start}-${end - 1}/${all.length}` }),
    ...headers,
  });
  const most =
    fault === undefined || 'promise' in fault
      ? body.length
      : 'cutAfter' in fault
        ? fault.cutAfter
        : fault.stallAfter;
  const cut = fault !== undefined && !('stallAfter' in fault);
  send(response, body.subarray(0, most), note).then((done) => {
    if (!done) return;
    if (cut) request.socket.destroySoon();
    else if (fault === undefined) response.end();
  });
}

/** Gives `body` to the connection no faster than it is taken; false where that went away. */
async function send(response: ServerResponse, body: Buffer, note: (facts: { sent: number }) => void) {
  for (let at = 0; at < body.length; at += 64 << 10) {
    if (response.destroyed) return false;
    const piece = body.subarray(at, at + (64 << 10));
    note({ sent: at + piece.length });
    if (!response.write(piece)) {
      const over = new AbortController();
      const waits = ['drain', 'close'].map((event) =>
        once(response, event, { signal: over.signal }).catch(() => {}),
      );
      await Promise.race(waits);
      over.abort();
    }
  }
  return !response.destroyed;
}
