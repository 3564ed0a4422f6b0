import { deflateRawSync } from 'node:zlib';
import { Crc32 } from '../../src/sources/zip/crc32.js';

/** A zip archive with these members, each deflated. `wrong`: a member whose checksum is not that of its bytes. */
export function zipOf(members: Readonly<Record<string, string | Buffer>>, wrong?: string): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(members)) {
    const bytes = Buffer.from(content);
    const packed = deflateRawSync(bytes);
    const crc = new Crc32();
    crc.update(name === wrong ? Buffer.from('other') : bytes);
    const title = Buffer.from(name);
    // Version, flags (names are UTF-8), method, time and date, checksum, sizes, lengths.
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0);
    facts.writeUInt16LE(0x800, 2);
    facts.writeUInt16LE(8, 4);
    facts.writeUInt32LE(crc.value(), 10);
    facts.writeUInt32LE(packed.length, 14);
    facts.writeUInt32LE(bytes.length, 18);
    facts.writeUInt16LE(title.length, 22);
    parts.push(Buffer.from('PK\x03\x04', 'latin1'), facts, title, packed);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\0', 'latin1'), facts, rest, title);
    offset += 30 + title.length + packed.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(Object.keys(members).length, 8);
  end.writeUInt16LE(Object.keys(members).length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, listed, end]);
}

const RELATIONS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';

interface Book {
  /** The XML within sheetData, by the names of sheets; `hidden `, in front, hides one. */
  readonly sheets: Readonly<Record<string, string>>;
  /** The XML within sst. */
  readonly texts?: string;
  /** Codes of formats: a cell's style `s` is 1 for the first. Numbers name built-in ones. */
  readonly formats?: readonly (string | number)[];
  readonly from1904?: boolean;
}

/** The members of a workbook, as Excel lays them out. */
export function membersOf({ sheets, texts, formats = [], from1904 }: Book): Record<string, string> {
  const names = Object.keys(sheets);
  const rels = (entries: readonly [id: string, type: string, target: string][]) =>
    `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${entries
      .map(
        ([id, type, target]) => `<Relationship Id="${id}" Type="${RELATIONS}/${type}" Target="${target}"/>`,
      )
      .join('')}</Relationships>`;
  const codes = formats.map((format, at) => (typeof format === 'string' ? 164 + at : format));
  return {
    '_rels/.rels': rels([['rId1', 'officeDocument', 'xl/workbook.xml']]),
    'xl/_rels/workbook.xml.rels': rels([
      ...names.map((_, at): [string, string, string] => [
        `s${at}`,
        'worksheet',
        `worksheets/sheet${at + 1}.xml`,
      ]),
      ['st', 'styles', 'styles.xml'],
      ...(texts === undefined
        ? []
        : [['tx', 'sharedStrings', '/xl/sharedStrings.xml'] as [string, string, string]]),
    ]),
    'xl/workbook.xml': `<workbook xmlns="${MAIN}" xmlns:r="${RELATIONS}"><workbookPr${from1904 ? ' date1904="1"' : ''}/><sheets>${names
      .map((name, at) => {
        const hidden = name.startsWith('hidden ');
        return `<sheet name="${hidden ? name.slice(7) : name}" sheetId="${at + 1}"${hidden ? ' state="hidden"' : ''} r:id="s${at}"/>`;
      })
      .join('')}</sheets></workbook>`,
    'xl/styles.xml': `<styleSheet xmlns="${MAIN}"><numFmts>${formats
      .map((code, at) =>
        typeof code === 'string'
          ? `<numFmt numFmtId="${164 + at}" formatCode="${code.replaceAll('"', '&quot;')}"/>`
          : '',
      )
      .join('')}</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/>${codes
      .map((id) => `<xf numFmtId="${id}"/>`)
      .join('')}</cellXfs></styleSheet>`,
    ...(texts === undefined ? {} : { 'xl/sharedStrings.xml': `<sst xmlns="${MAIN}">${texts}</sst>` }),
    ...Object.fromEntries(
      names.map((name, at) => [
        `xl/worksheets/sheet${at + 1}.xml`,
        `<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="${MAIN}"><sheetData>${sheets[name]}</sheetData></worksheet>`,
      ]),
    ),
  };
}

/** The bytes of such a workbook. */
export const xlsxBytes = (book: Book): Buffer => zipOf(membersOf(book));

/** Rows of texts as XML, from row 1 on. */
export const inline = (...rows: readonly (readonly string[])[]): string =>
  rows
    .map(
      (cells) => `<row>${cells.map((text) => `<c t="inlineStr"><is><t>${text}</t></is></c>`).join('')}</row>`,
    )
    .join('');
