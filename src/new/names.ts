/** `text` as a name that needs no quotes in SQL, nor in TypeScript: `Order ID` is order_id. `otherwise`: where nothing is left. */
export function plainName(text: string, otherwise: string): string {
  const plain = text
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '')
    .slice(0, 50);
  if (plain === '') return otherwise;
  return /^[a-z]/.test(plain) ? plain : `c_${plain}`;
}
