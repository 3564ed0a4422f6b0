import type { SaxesParser } from 'saxes';
import type * as yauzl from 'yauzl';
import { xlsxErrors } from '../../core/errors/catalogue/xlsx.js';

/** What reads a workbook: a zip archive of XML. */
export interface XlsxPackages {
  readonly zip: typeof yauzl;
  xml(): SaxesParser;
}

/** The packages, which few need. Throws usage `no_xlsx_reader` where one of them is not installed. */
export async function xlsxPackages(input: string): Promise<XlsxPackages> {
  try {
    const [zip, { SaxesParser }] = await Promise.all([import('yauzl'), import('saxes')]);
    return { zip, xml: () => new SaxesParser({ xmlns: false, position: false }) };
  } catch (cause) {
    throw xlsxErrors.no_xlsx_reader({ input, command: 'npm install yauzl saxes' }, { cause });
  }
}
