import { csvField } from './csv-text.js';

/** Names as `a,b,"c,d"`: quoted as in CSV where they need it. */
export function formatList(names: readonly string[]): string {
  return names.map(csvField).join(',');
}
