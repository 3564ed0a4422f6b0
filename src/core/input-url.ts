/** Whether `path` is the URL of an input; else it is a path of this machine. */
export const isRemote = (path: string): boolean => /^(?:https?|s3):\/\//i.test(path);

/** The scheme of a URL that nothing is read from; undefined for a path, and for what `isRemote` knows. */
export function otherScheme(path: string): string | undefined {
  return isRemote(path) ? undefined : /^([a-z][a-z0-9+.-]+):\/\//i.exec(path)?.[1];
}

/** Stands in a URL for what is left out of it. */
const LEFT_OUT = '…';

/** Names of parameters that are secret, or belong to a signature. */
const SECRET =
  /^(?:x-(?:amz|goog|ms|oss)-|key$|key-pair-id$|auth|sig$|sas$|code$|jwt$)|signature|token|secret|passw|pwd|credential|api[-_]?key|access[-_]?key|session/i;

/**
 * A URL as it may be shown and kept: without user and password, and with `…` for parameters that are secret (signatures,
 * tokens). What is no URL of http is given back as it is.
 */
export function shownUrl(path: string): string {
  const found = /^(https?:\/\/)([^/?#]*)([^?#]*)(?:\?([^#]*))?/i.exec(path);
  if (found === null) return path;
  const [, scheme = '', authority = '', at = '', query] = found;
  // A password with a / that is not encoded: what is host and what is secret cannot be told.
  if (!URL.canParse(path)) return `${scheme}${LEFT_OUT}`;
  const base = `${scheme}${authority.slice(authority.lastIndexOf('@') + 1)}${at}`;
  if (query === undefined) return base;
  const open = query.split('&').filter((each) => !isSecret(each));
  const all =
    open.length === query.split('&').length ? open : [...open.filter((each) => each !== LEFT_OUT), LEFT_OUT];
  return `${base}?${all.join('&')}`;
}

/** Whether something was left out of a URL that `shownUrl` has given. */
export const isIncomplete = (path: string): boolean =>
  /^https?:\/\//i.test(path) && ['/', '?', '&'].some((before) => path.endsWith(before + LEFT_OUT));

/** The path in a URL, which is what its name and format are told by; a path as it is. */
export function pathInUrl(path: string): string {
  return /^https?:\/\//i.test(path) ? path.slice(0, path.search(/[?#]|$/)) : path;
}

function isSecret(parameter: string): boolean {
  const equals = parameter.indexOf('=');
  const name = equals < 0 ? parameter : parameter.slice(0, equals);
  const value = equals < 0 ? '' : parameter.slice(equals + 1);
  return SECRET.test(name) || isToken(value);
}

/** Letters and digits in one, so many as nobody types: by whatever name, that lets somebody in. */
const isToken = (value: string) =>
  (value.match(/[A-Za-z0-9]{16,}/g) ?? []).some((run) => /\d/.test(run) && /[A-Za-z]/.test(run));
