import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { remoteErrors } from '../../core/errors/catalogue/remote.js';

/** Headers for a server, and what they are out of, as messages name it. */
export interface Login {
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined where nobody logs in. */
  readonly from: string | undefined;
}

/**
 * How to log in where `url` leads: by the user in the URL `named` (on its own host alone), by headers of
 * SLUICE_HTTP_HEADERS for that host, or by the host's entry in the user's netrc. Throws usage `bad_http_header`, `bad_url`.
 */
export function loginFor(url: URL, named: URL, environment: NodeJS.ProcessEnv = process.env): Login {
  const given = headersOf(environment.SLUICE_HTTP_HEADERS ?? '', url);
  const from = Object.keys(given).length > 0 ? 'SLUICE_HTTP_HEADERS' : undefined;
  if (url.origin === named.origin && named.username + named.password !== '')
    return {
      headers: { ...given, authorization: basic(decoded(named.username), decoded(named.password)) },
      from: 'the URL',
    };
  if ('authorization' in given) return { headers: given, from };
  const path = environment.NETRC ?? join(homedir(), '.netrc');
  const entry = netrcEntry(textOf(path), url.hostname.replace(/^\[|\]$/g, ''));
  if (entry === undefined) return { headers: given, from };
  return {
    headers: { ...given, authorization: basic(entry.login, entry.password) },
    from: environment.NETRC === undefined ? '~/.netrc' : path,
  };
}

/** The Authorization of a user and a password: RFC 7617. */
export const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

/** A part of a URL as it was meant; as it stands where its percent signs mean nothing. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The headers for `url` out of lines of the form `host[:port] Name: value`. */
function headersOf(text: string, { hostname, host, port, protocol }: URL): Record<string, string> {
  const full = port === '' ? `${hostname}:${protocol === 'https:' ? 443 : 80}` : host;
  const found: Record<string, string> = {};
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
    const [where = ''] = line.trim().split(/\s/, 1);
    const header = line.trim().slice(where.length).trim();
    const colon = header.indexOf(':');
    const [name, value] = [header.slice(0, colon), header.slice(colon + 1).trim()];
    // What a header may hold: RFC 9110 5.5 and 5.6.2.
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      throw remoteErrors.bad_http_header.line({ line: at + 1 });
    if ([hostname, full].includes(where.toLowerCase())) found[name.toLowerCase()] = value;
  }
  return found;
}

/** The login for `host` in the text of a netrc file; the `default` where no `machine` is it. */
export function netrcEntry(
  text: string,
  host: string,
): { readonly login: string; readonly password: string } | undefined {
  // The lines of a macro are not about logins.
  const words = text
    .replace(/^[ \t]*macdef[^\n]*\n(?:[^\n]+\n?)*/gm, '')
    .replace(/^[ \t]*#.*$/gm, '')
    .match(/"(?:[^"\\]|\\.)*"|\S+/g);
  let current: { host: string | undefined; login?: string; password?: string } | undefined;
  const entries: NonNullable<typeof current>[] = [];
  for (let at = 0; words !== null && at < words.length; at++) {
    const word = words[at];
    const next = () => unquoted(words[++at] ?? '');
    if (word === 'machine' || word === 'default') {
      current = { host: word === 'machine' ? next().toLowerCase() : undefined };
      entries.push(current);
    } else if (current !== undefined && word === 'login') current.login = next();
    else if (current !== undefined && word === 'password') current.password = next();
    else if (word === 'account') next();
  }
  const entry =
    entries.find((each) => each.host === host.toLowerCase()) ??
    entries.find((each) => each.host === undefined);
  return entry === undefined ? undefined : { login: entry.login ?? '', password: entry.password ?? '' };
}

const unquoted = (word: string) => (word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/g, '$1') : word);

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
