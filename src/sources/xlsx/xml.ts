import type { SaxesParser } from 'saxes';
import { xlsxErrors } from '../../core/errors/catalogue/xlsx.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import type { ZipArchive } from '../zip/archive.js';

export type Attributes = Readonly<Record<string, string>>;

/** What is done with the parts of a document, called by their names without a prefix. */
export interface Handlers {
  open?(name: string, attributes: Attributes): void;
  text?(text: string): void;
  close?(name: string): void;
}

/**
 * Parses the member of a workbook as it comes, a turn of the iteration for each piece of it. Throws failed `corrupt_xlsx`
 * where it is no XML, and what reading the member throws.
 */
export async function* parsed(
  zip: ZipArchive,
  member: string,
  parser: SaxesParser,
  { open, text, close }: Handlers,
): AsyncGenerator<void, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  parser.on('opentag', ({ name, attributes }) => open?.(local(name), attributes as Attributes));
  if (text !== undefined) {
    parser.on('text', text);
    parser.on('cdata', text);
  }
  parser.on('closetag', ({ name }) => close?.(local(name)));
  const within = (work: () => void) => {
    try {
      work();
    } catch (error) {
      throw error instanceof SluiceError
        ? error
        : xlsxErrors.corrupt_xlsx(
            { input: zip.input, where: member, why: error instanceof Error ? error.message : String(error) },
            { cause: error },
          );
    }
  };
  for await (const bytes of zip.read(member)) {
    within(() => parser.write(decoder.decode(bytes, { stream: true })));
    yield;
  }
  within(() => parser.write(decoder.decode()).close());
  yield;
}

/** The same of a member that is read as a whole. */
export async function parseAll(
  zip: ZipArchive,
  member: string,
  parser: SaxesParser,
  handlers: Handlers,
): Promise<void> {
  for await (const _ of parsed(zip, member, parser, handlers));
}

const local = (name: string) => name.slice(name.indexOf(':') + 1);

/** Characters that XML cannot have, as texts of workbooks have them: `_x000D_` (ECMA-376, ST_Xstring). */
export function unescaped(text: string): string {
  return text.includes('_x')
    ? text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : text;
}
