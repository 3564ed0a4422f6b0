/** Names as `a,b,"c,d"`: quoted as in CSV where they need it. */
export function formatList(names: readonly string[]): string {
  return names
    .map((name) => (/[",\r\n]|^\s|\s$|^$/.test(name) ? `"${name.replaceAll('"', '""')}"` : name))
    .join(',');
}
