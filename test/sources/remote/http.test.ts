import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { packageFile } from '../../../src/core/package.js';
import { csv } from '../../../src/sources/csv/index.js';
import { fileSource } from '../../../src/sources/file.js';
import { jsonl } from '../../../src/sources/json/jsonl.js';
import { makeCertificates, noOpenssl } from '../../support/certificates.js';
import { tempFile, tempFolder } from '../../support/files.js';
import { httpServer } from '../../support/http-server.js';
import { bytesOf, openUrl } from '../../support/remote.js';
import { rowsOf } from '../../support/run.js';
import { thrown } from '../../support/thrown.js';

const never = new AbortController().signal;
const ROWS = [
  { id: '1', name: 'one' },
  { id: '2', name: 'two' },
];
const CSV = 'id,name\n1,one\n2,two\n';
const basic = (login: string) => `Basic ${Buffer.from(login).toString('base64')}`;

test('any text is read from a URL, plain and packed, on its way or as a file', async (t) => {
  const server = await httpServer(t);
  const packed = gzipSync(CSV);
  const gzip = { 'content-encoding': 'gzip' };
  server.files.set('/plain.csv', { body: CSV });
  server.files.set('/file.csv.gz', { body: packed });
  server.files.set('/sent.csv', { body: packed, headers: gzip, ranges: false });
  server.files.set('/named.csv.gz', { body: packed, headers: gzip, ranges: false });
  server.files.set('/both.csv.gz', { body: gzipSync(packed), headers: gzip, ranges: false });
  for (const name of server.files.keys())
    assert.deepEqual(await rowsOf(csv(`${server.origin}${name}`)), ROWS, name);
  server.files.set('/export', { body: '{"id":"1","name":"one"}\n{"id":"2","name":"two"}\n' });
  assert.deepEqual(await rowsOf(jsonl(`${server.origin}/export`)), ROWS);
  assert.deepEqual(await rowsOf(fileSource(`${server.origin}/export?year=2026`)), ROWS);
  server.files.set('/a.tsv', { body: CSV.replaceAll(',', '\t') });
  assert.deepEqual(await rowsOf(fileSource(`${server.origin}/a.tsv?sig=a.json`)), ROWS);
  server.files.set('/br', { body: 'x', headers: { 'content-encoding': 'br' } });
  assert.match((await thrown(rowsOf(csv(`${server.origin}/br`)))).message, /encoded as br/);
  server.files.set('/empty.csv', { body: '' });
  assert.equal((await thrown(rowsOf(csv(`${server.origin}/empty.csv`)))).code, 'empty_file');
});

test('a page in place of rows is refused by its title', async (t) => {
  const server = await httpServer(t);
  const body = '\n<!DOCTYPE html><html><head><title>Sign in\u001b[31m</title></head></html>';
  server.files.set('/a.csv', { body });
  const error = await thrown(rowsOf(csv(`${server.origin}/a.csv`)));
  assert.equal(error.code, 'html_page');
  assert.match(error.message, /gives an HTML page \(“Sign in\\u001b\[31m”\), not rows/);
  assert.match((await thrown(rowsOf(csv(tempFile(t, 'a.csv', body))))).message, /is an HTML page, not rows/);
});

test('what the server says of who asks is told with what to do', async (t) => {
  const server = await httpServer(t);
  const told = async (path: string) => {
    const error = await thrown(openUrl(`${server.origin}${path}`));
    return [error.code, error.message, ...(error.facts.details ?? []), String(error.facts.next)].join(' | ');
  };
  assert.match(await told('/nothing.csv'), /^url_not_found \| there is nothing at .*404/);
  server.fault = () => ({ status: 401 });
  assert.match(await told('/a'), /^url_denied \| .* 401 Unauthorized .*~\/\.netrc/);
  server.fault = () => ({ status: 403, body: '<Error><Message>Request has expired</Message></Error>' });
  assert.match(await told('/a'), /^url_denied \| .*403.*\| the server says: Request has expired \|.*expired/);
  server.fault = () => ({ status: 400 });
  assert.match(await told('/a'), /^url_refused/);
});

test('a redirect is followed, with a login for its own host alone', async (t) => {
  const [here, there] = [await httpServer(t), await httpServer(t)];
  there.files.set('/b.csv', { body: CSV, etag: '"1"' });
  const to = (location: string) => ({ status: 302, headers: { location } });
  here.fault = ({ url }) =>
    url === '/a.csv'
      ? to('/moved.csv')
      : url === '/moved.csv'
        ? to(`${there.origin}/b.csv?X-Amz-Signature=1`)
        : undefined;
  const url = `http://user:p%40ss@localhost:${here.port}/a.csv`;
  const bytes = await openUrl(url);
  assert.equal(String(await bytesOf(bytes.read(never))), CSV);
  assert.deepEqual(
    here.came.map(({ headers }) => headers.authorization),
    [basic('user:p@ss'), basic('user:p@ss')],
  );
  assert.deepEqual(
    there.came.map(({ headers }) => headers.authorization),
    [undefined],
  );
  assert.equal(bytes.name, `${here.origin}/a.csv`);

  here.fault = () => to('/a.csv');
  assert.match((await thrown(openUrl(url))).message, /is sent on more than 10 times/);
  here.fault = () => to('file:///etc/passwd');
  assert.match((await thrown(openUrl(url))).message, /no http:\/\/ or https:\/\/ URL/);
});

test('a place that a redirect led to and that expires is asked for anew', async (t) => {
  const server = await httpServer(t);
  const body = Buffer.alloc(1 << 20, 'abc');
  let valid = 1;
  server.files.set('/place', { body, etag: '"1"' });
  server.fault = ({ url = '' }) => {
    if (url === '/a') return { status: 307, headers: { location: `/place?at=${valid}` } };
    return url.endsWith(`=${valid}`) ? undefined : { status: 403 };
  };
  const bytes = await openUrl(`${server.origin}/a`);
  await bytesOf(bytes.read(never));
  valid = 2;
  assert.ok((await bytesOf(bytes.read(never))).equals(body));
  assert.deepEqual(
    server.came.map(({ path }) => path),
    ['/a', '/place?at=1', '/place?at=1', '/place?at=1', '/a', '/place?at=2'],
  );
});

test('a login is out of the URL, a variable or netrc; a wrong one is told by where it stands', async (t) => {
  const server = await httpServer(t);
  server.files.set('/a', { body: 'x' });
  const before = { ...process.env };
  t.after(() => {
    process.env = before;
  });
  process.env.NETRC = tempFile(
    t,
    'netrc',
    'machine elsewhere login a password b\nmachine localhost\n login me password "a b"\n',
  );
  const sent = async (url = `${server.origin}/a`) => {
    await bytesOf((await openUrl(url)).read(never));
    return server.came.at(-1)?.headers;
  };
  assert.equal((await sent())?.authorization, basic('me:a b'));
  process.env.SLUICE_HTTP_HEADERS = `# ours\nlocalhost:${server.port} Authorization: Bearer t0ken\nlocalhost X-Key: k\nother X-Key: no`;
  const headers = await sent();
  assert.deepEqual([headers?.authorization, headers?.['x-key']], ['Bearer t0ken', 'k']);
  assert.equal((await sent(`http://u:p@localhost:${server.port}/a`))?.authorization, basic('u:p'));
  server.fault = () => ({ status: 401 });
  const error = await thrown(openUrl(`${server.origin}/a`));
  assert.match(error.message, /does not take the login of SLUICE_HTTP_HEADERS/);
  process.env.SLUICE_HTTP_HEADERS = 'Authorization: Bearer t0ken';
  const bad = await thrown(openUrl(`${server.origin}/a`));
  assert.equal(bad.code, 'bad_http_header');
  assert.doesNotMatch(JSON.stringify(bad), /t0ken/);
});

test('who is not there, or speaks something else, is told at once', async (t) => {
  const gone = net.createServer().listen(0, 'localhost');
  await new Promise((resolve) => gone.once('listening', resolve));
  const { port } = gone.address() as AddressInfo;
  await new Promise((resolve) => gone.close(resolve));
  assert.match((await thrown(openUrl(`http://localhost:${port}/a`))).message, /nothing answers at localhost/);
  assert.match(
    (await thrown(openUrl('http://nowhere.invalid/a'))).message,
    /there is no host nowhere.invalid/,
  );
  const server = await httpServer(t);
  assert.match((await thrown(openUrl(`https://localhost:${server.port}/a`))).message, /does not speak TLS/);
});

test('a certificate that nobody vouches for is told with what to do, and an authority can be named', {
  skip: noOpenssl ?? false,
}, async (t) => {
  const folder = tempFolder(t);
  const { authority, server: of } = makeCertificates(folder);
  const tls = { cert: readFileSync(of.certificate), key: readFileSync(of.key) };
  const server = await httpServer(t, tls);
  server.files.set('/a.csv', { body: CSV });
  const error = await thrown(openUrl(`${server.origin}/a.csv`));
  assert.equal(error.code, 'untrusted_server');
  assert.match(String(error.facts.next), /NODE_EXTRA_CA_CERTS/);
  // Node reads the variable when it starts.
  const opened = (): Promise<string> => {
    const code = `
        const { csv } = await import(process.argv[1]);
        const around = { signal: new AbortController().signal, share: (_, make) => make() };
        const bytes = await csv(process.argv[2]).bytes(around);
        console.log(bytes.size);
        bytes.close();`;
    const args = ['--input-type=module', '--eval', code, packageFile('dist', 'src', 'index.js')];
    return new Promise((resolve) =>
      execFile(
        process.execPath,
        [...args, `${server.origin}/a.csv`],
        { env: { ...process.env, NODE_EXTRA_CA_CERTS: authority } },
        (_, stdout, stderr) => resolve(stdout + stderr),
      ),
    );
  };
  assert.equal(await opened(), `${CSV.length}\n`);

  // From there nothing goes on without TLS.
  const plain = await httpServer(t);
  server.fault = () => ({ status: 301, headers: { location: `${plain.origin}/a.csv` } });
  assert.match(await opened(), /is sent on to localhost:\d+ without TLS/);
  assert.equal(plain.came.length, 0);
});

test('a proxy of the environment is gone through, but for what NO_PROXY names', async (t) => {
  const server = await httpServer(t);
  server.files.set('/a', { body: CSV, etag: '"1"' });
  const asked: string[] = [];
  const proxy = http.createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers['proxy-authorization'] ?? ''}`);
    http.get(request.url as string, { headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
  });
  let refuse = false;
  proxy.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    if (refuse) return socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    const [host, port] = (request.url as string).split(':');
    const to = net.connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      to.pipe(socket).pipe(to);
    });
    to.on('error', () => socket.destroy());
    return undefined;
  });
  proxy.listen(0, 'localhost');
  await new Promise((resolve) => proxy.once('listening', resolve));
  t.after(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const before = { ...process.env };
  t.after(() => {
    process.env = before;
  });
  const { port } = proxy.address() as AddressInfo;
  process.env.http_proxy = `http://me:secret@localhost:${port}`;
  process.env.HTTPS_PROXY = `localhost:${port}`;
  assert.equal(String(await bytesOf((await openUrl(`${server.origin}/a`)).read(never))), CSV);
  assert.deepEqual(asked, [`GET ${server.origin}/a ${basic('me:secret')}`]);
  const error = await thrown(openUrl(`https://localhost:${server.port}/a`));
  assert.match(error.message, /does not speak TLS/);
  assert.equal(asked.at(-1), `CONNECT localhost:${server.port}`);
  refuse = true;
  assert.match((await thrown(openUrl(`https://localhost:${server.port}/a`))).message, /the proxy .* 407/);
  const count = asked.length;
  process.env.NO_PROXY = 'example.com, localhost';
  await openUrl(`${server.origin}/a`);
  assert.equal(asked.length, count);
  process.env.NO_PROXY = '';
  process.env.http_proxy = 'socks5://localhost:1';
  assert.equal((await thrown(openUrl(`${server.origin}/a`))).code, 'bad_proxy');
});
