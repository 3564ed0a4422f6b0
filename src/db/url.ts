/**
 * A database URL fit for a message or a log: the password is replaced by `***`, in the user part and in a
 * `password=` parameter alike. Text that is no URL is returned with whatever looks like a password masked.
 */
export function withoutPassword(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return url.replace(/:\/\/[^@/]*@/g, '://***@').replace(/(password\s*=\s*)('[^']*'|\S+)/gi, '$1***');
  }
  if (parsed.password !== '') parsed.password = '***';
  for (const key of [...parsed.searchParams.keys()]) {
    if (/password/i.test(key)) parsed.searchParams.set(key, '***');
  }
  return parsed.href;
}
