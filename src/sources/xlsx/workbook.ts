import { posix } from 'node:path';
import { xlsxErrors } from '../../core/errors/catalogue/xlsx.js';
import { nearest } from '../../core/errors/nearest.js';
import type { Run } from '../../core/run.js';
import { displayName, headOf, openBytes } from '../bytes/open.js';
import { ZipArchive } from '../zip/archive.js';
import { kindOfFormat, type NumberKind } from './formats.js';
import { type XlsxPackages, xlsxPackages } from './package.js';
import { type Attributes, parseAll, unescaped } from './xml.js';

/** A sheet of cells, and where its XML is. */
export interface SheetPlace {
  readonly name: string;
  readonly member: string;
  readonly hidden: boolean;
}

/** What the cells of all sheets refer to. */
export interface Workbook {
  readonly zip: ZipArchive;
  readonly packages: XlsxPackages;
  readonly sheets: readonly SheetPlace[];
  /** What a number is, by the style of its cell. */
  readonly kinds: readonly NumberKind[];
  /** Texts that cells have by their number. */
  readonly texts: readonly string[];
  /** Whether days are counted from 1904. */
  readonly from1904: boolean;
}

/** What a file begins with that holds a workbook of Excel 97, or an encrypted one. */
const OLE = 'd0cf11e0';
const ZIP = '504b0304';

/**
 * Opens the workbook at `path`; its archive is the caller's to close. Throws usage `not_xlsx`, `no_xlsx_reader`, failed
 * `corrupt_zip`, `corrupt_xlsx`, and what `openBytes` throws.
 */
export async function openWorkbook(path: string, run: Run): Promise<Workbook> {
  const input = displayName(path);
  const bytes = await openBytes(path, run);
  if (bytes?.size === undefined || !bytes.seekable || bytes.encoded)
    throw xlsxErrors.not_xlsx.notSeekable({ input });
  const first = (await headOf(bytes, run.signal, 4)).toString('hex');
  if (first === OLE) throw xlsxErrors.not_xlsx.ole({ input });
  if (first !== ZIP) throw xlsxErrors.not_xlsx.other({ input });
  const packages = await xlsxPackages(input);
  const zip = await ZipArchive.open(input, { bytes, size: bytes.size }, packages.zip, run.signal);
  try {
    return await described(zip, packages);
  } catch (error) {
    zip.close();
    throw error;
  }
}

async function described(zip: ZipArchive, packages: XlsxPackages): Promise<Workbook> {
  const { input } = zip;
  const root = await relations(zip, packages, '');
  const book = [...root.values()].find(({ type }) => type === 'officeDocument')?.member;
  if (book === undefined || !zip.has(book)) throw xlsxErrors.not_xlsx.other({ input });
  if (book.endsWith('.bin')) throw xlsxErrors.not_xlsx.binary({ input });
  const parts = await relations(zip, packages, book);
  const sheets: SheetPlace[] = [];
  let from1904 = false;
  await parseAll(zip, book, packages.xml(), {
    open(name, attributes) {
      if (name === 'workbookPr') from1904 = isTrue(attributes.date1904);
      if (name !== 'sheet') return;
      const part = parts.get(idOf(attributes));
      // A sheet may be a chart.
      if (part?.type !== 'worksheet') return;
      sheets.push({
        name: attributes.name ?? '',
        member: part.member,
        hidden: attributes.state === 'hidden' || attributes.state === 'veryHidden',
      });
    },
  });
  const memberOf = (type: string) => {
    const member = [...parts.values()].find((part) => part.type === type)?.member;
    return member !== undefined && zip.has(member) ? member : undefined;
  };
  return {
    zip,
    packages,
    sheets,
    from1904,
    kinds: await kindsIn(zip, packages, memberOf('styles')),
    texts: await textsIn(zip, packages, memberOf('sharedStrings')),
  };
}

/** The sheet that is named, else the only one that can be seen. Throws usage `which_sheet`, `no_such_sheet`, refused `no_sheets`. */
export function sheetOf({ zip: { input }, sheets }: Workbook, wanted: string | undefined): SheetPlace {
  const names = sheets.map(({ name }) => name);
  if (wanted !== undefined) {
    const found =
      sheets.find(({ name }) => name === wanted) ??
      sheets.find(({ name }) => name.toLowerCase() === wanted.toLowerCase());
    if (found !== undefined) return found;
    throw xlsxErrors.no_such_sheet({ input, sheet: wanted, sheets: names, meant: nearest(wanted, names) });
  }
  const seen = sheets.filter(({ hidden }) => !hidden);
  const [first, ...others] = seen;
  if (first === undefined) throw xlsxErrors.no_sheets({ input });
  if (others.length > 0) throw xlsxErrors.which_sheet({ input, sheets: seen.map(({ name }) => name) });
  return first;
}

interface Relation {
  /** The last word of its type. */
  readonly type: string;
  readonly member: string;
}

/** What a part of the archive refers to, by ids; '' is the whole. */
async function relations(
  zip: ZipArchive,
  packages: XlsxPackages,
  part: string,
): Promise<ReadonlyMap<string, Relation>> {
  const folder = posix.dirname(part);
  const member = posix.join(folder, '_rels', `${posix.basename(part)}.rels`);
  const found = new Map<string, Relation>();
  if (!zip.has(member)) return found;
  await parseAll(zip, member, packages.xml(), {
    open(name, { Id = '', Type = '', Target = '', TargetMode }) {
      if (name !== 'Relationship' || TargetMode === 'External') return;
      found.set(Id, {
        type: Type.slice(Type.lastIndexOf('/') + 1),
        member: Target.startsWith('/') ? Target.slice(1) : posix.join(folder, Target),
      });
    },
  });
  return found;
}

/** `r:id`, whatever the prefix is. */
const idOf = (attributes: Attributes): string =>
  Object.entries(attributes).find(([name]) => name.endsWith(':id'))?.[1] ?? '';

const isTrue = (value: string | undefined) => value === '1' || value === 'true';

async function kindsIn(
  zip: ZipArchive,
  packages: XlsxPackages,
  member: string | undefined,
): Promise<NumberKind[]> {
  if (member === undefined) return [];
  const codes = new Map<number, string>();
  const styles: number[] = [];
  let inCells = false;
  await parseAll(zip, member, packages.xml(), {
    open(name, { numFmtId = '0', formatCode = '' }) {
      if (name === 'numFmt') codes.set(Number(numFmtId), formatCode);
      else if (name === 'cellXfs') inCells = true;
      else if (name === 'xf' && inCells) styles.push(Number(numFmtId));
    },
    close(name) {
      if (name === 'cellXfs') inCells = false;
    },
  });
  return styles.map((id) => kindOfFormat(id, codes.get(id)));
}

/** The texts that cells share: of each its runs joined, without how it is pronounced. */
async function textsIn(
  zip: ZipArchive,
  packages: XlsxPackages,
  member: string | undefined,
): Promise<string[]> {
  if (member === undefined) return [];
  const texts: string[] = [];
  let text = '';
  let inText = false;
  let inPhonetic = false;
  await parseAll(zip, member, packages.xml(), {
    open(name) {
      if (name === 'si') text = '';
      else if (name === 't') inText = !inPhonetic;
      else if (name === 'rPh') inPhonetic = true;
    },
    text(piece) {
      if (inText) text += piece;
    },
    close(name) {
      if (name === 'si') texts.push(unescaped(text));
      else if (name === 't') inText = false;
      else if (name === 'rPh') inPhonetic = false;
    },
  });
  return texts;
}
