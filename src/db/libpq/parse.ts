/** Connection parameters by libpq's names (documentation of libpq, "Parameter Key Words"), as they were written. */
export type Parameters = Record<string, string>;

/** What is wrong with a text that should say where a database is; never with a value of it, which may be a secret. */
export class ConninfoError extends Error {}

const isUri = (text: string) => /^postgres(ql)?:\/\//.test(text);

/** A connection string, be it a URI or `key=value …`. Throws ConninfoError. */
export function parseConninfo(text: string): Parameters {
  return isUri(text) ? parseUri(text) : parsePairs(text);
}

/** `postgresql://[user[:password]@][host[:port][,…]][/dbname][?name=value[&…]]` */
function parseUri(text: string): Parameters {
  const found = /^postgres(?:ql)?:\/\/(?:([^/?#@]*)@)?([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(text);
  if (found === null)
    throw new ConninfoError('it is not a URL of the form postgres://user@host:5432/database');
  const [, userinfo, places = '', dbname = '', query = ''] = found;
  const parameters: Parameters = {};
  if (userinfo !== undefined) {
    const colon = userinfo.indexOf(':');
    const user = colon < 0 ? userinfo : userinfo.slice(0, colon);
    if (user !== '') parameters.user = decoded(user);
    if (colon >= 0) parameters.password = decoded(userinfo.slice(colon + 1));
  }
  if (places !== '') {
    const each = places.split(',').map(hostAndPort);
    if (each.some(({ host }) => host !== '')) parameters.host = each.map(({ host }) => host).join(',');
    if (each.some(({ port }) => port !== '')) parameters.port = each.map(({ port }) => port).join(',');
  }
  if (dbname !== '') parameters.dbname = decoded(dbname);
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    if (equals < 1) throw new ConninfoError('after the ? only name=value stands, joined by &');
    const name = decoded(pair.slice(0, equals));
    const value = decoded(pair.slice(equals + 1));
    // As JDBC writes it.
    if (name === 'ssl' && value === 'true') parameters.sslmode = 'require';
    else parameters[name] = value;
  }
  return parameters;
}

function hostAndPort(text: string): { host: string; port: string } {
  const found = /^(?:\[([^\]]*)\]|([^:[]*))(?::(.*))?$/.exec(text);
  if (found === null) throw new ConninfoError('a host is written host:port, and an IPv6 address in brackets');
  return { host: decoded(found[1] ?? found[2] ?? ''), port: decoded(found[3] ?? '') };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ConninfoError('it has a % that two hexadecimal digits should follow (% itself is written %25)');
  }
}

/** `key = value key = 'a value'`; in quotes and out of them a backslash takes the next character as it is. */
function parsePairs(text: string): Parameters {
  const parameters: Parameters = {};
  const pair = /\s*([^\s=]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s\\']|\\.)*))(?=\s|$)/suy;
  let at = 0;
  while (text.slice(at).trim() !== '') {
    pair.lastIndex = at;
    const found = pair.exec(text);
    if (found === null)
      throw new ConninfoError("it is neither a URL nor a list of key=value ('…' around blanks)");
    parameters[found[1] as string] = (found[2] ?? found[3] ?? '').replace(/\\(.)/gsu, '$1');
    at = pair.lastIndex;
  }
  return parameters;
}

/** The same connection string without any password that stands in it. */
export function withoutPasswords(text: string): string {
  if (isUri(text))
    return text
      .replace(/^(postgres(?:ql)?:\/\/[^/?#@:]*):[^/?#@]*@/, '$1@')
      .replace(/([?&])(?:password|sslpassword)=[^&#]*&?/g, '$1')
      .replace(/[?&]$/, '');
  try {
    const { password, sslpassword, ...rest } = parsePairs(text);
    return password === undefined && sslpassword === undefined ? text : asPairs(rest);
  } catch {
    return text;
  }
}

function asPairs(parameters: Parameters): string {
  return Object.entries(parameters)
    .map(([name, value]) =>
      /^[^\s'\\]+$/.test(value) ? `${name}=${value}` : `${name}='${value.replace(/['\\]/g, '\\$&')}'`,
    )
    .join(' ');
}
