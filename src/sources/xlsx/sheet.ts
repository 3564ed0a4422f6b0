import { xlsxErrors } from '../../core/errors/catalogue/xlsx.js';
import { dayNumberText, numberText } from './formats.js';
import type { SheetPlace, Workbook } from './workbook.js';
import { type Attributes, parsed, unescaped } from './xml.js';

/** A cell whose value is none that a row can have. */
export class BadCell {
  constructor(
    readonly reason: 'error_cell' | 'no_such_date',
    /** As the file has it: `#N/A`, or the number of the day. */
    readonly value: string,
    /** As `Sheet1!C12`. */
    readonly address: string,
  ) {}
}

/** What a cell holds; undefined where there is none. */
export type CellValue = string | BadCell | undefined;

/** A row with something in it. */
export interface SheetRow {
  /** As the sheet numbers it, from 1 on. */
  readonly number: number;
  /** By the place (0-based) of the column. */
  readonly cells: readonly CellValue[];
}

/** The rows of a sheet that have something in them, in pieces of any size, as they are read. Throws as `parsed` does. */
export async function* rowsOfSheet(
  book: Workbook,
  sheet: SheetPlace,
): AsyncGenerator<readonly SheetRow[], void> {
  const reader = new SheetReader(book, sheet);
  for await (const _ of parsed(book.zip, sheet.member, book.packages.xml(), reader)) {
    const rows = reader.take();
    if (rows.length > 0) yield rows;
  }
}

/** Gathers rows out of the parts of a sheet's XML. */
class SheetReader {
  #rows: SheetRow[] = [];
  #row = 0;
  #cells: CellValue[] = [];
  #column = -1;
  #type = 'n';
  #style = 0;
  #value: string | undefined;
  #taking = false;
  #inPhonetic = false;

  constructor(
    private readonly book: Workbook,
    private readonly sheet: SheetPlace,
  ) {}

  /** The rows that are whole, each once. */
  take(): readonly SheetRow[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  open = (name: string, attributes: Attributes): void => {
    switch (name) {
      case 'row':
        // Writers may leave out numbers and addresses: then it is the next one.
        this.#row = attributes.r === undefined ? this.#row + 1 : Number(attributes.r);
        this.#cells = [];
        this.#column = -1;
        return;
      case 'c':
        this.#column = columnOf(attributes.r) ?? this.#column + 1;
        this.#type = attributes.t ?? 'n';
        this.#style = Number(attributes.s ?? 0);
        this.#value = undefined;
        return;
      case 'v':
      case 't':
        this.#taking = !this.#inPhonetic;
        if (this.#taking) this.#value ??= '';
        return;
      case 'rPh':
        this.#inPhonetic = true;
        return;
    }
  };

  text = (text: string): void => {
    if (this.#taking) this.#value = (this.#value ?? '') + text;
  };

  close = (name: string): void => {
    switch (name) {
      case 'v':
      case 't':
        this.#taking = false;
        return;
      case 'rPh':
        this.#inPhonetic = false;
        return;
      case 'c':
        if (this.#value !== undefined) this.#cells[this.#column] = this.#valueOf(this.#value);
        return;
      case 'row':
        if (this.#cells.length > 0) this.#rows.push({ number: this.#row, cells: this.#cells });
        return;
    }
  };

  #valueOf(stored: string): CellValue {
    switch (this.#type) {
      case 's': {
        const text = this.book.texts[Number(stored)];
        if (text === undefined) throw this.#damaged(`there is no shared text ${stored}`);
        return text;
      }
      case 'str':
      case 'inlineStr':
        return unescaped(stored);
      case 'b':
        return stored.trim() === '1' || stored.trim() === 'true' ? 't' : 'f';
      case 'e':
        return new BadCell('error_cell', stored, this.#address());
      case 'd':
        return stored.trim().replace('T', ' ').replace('Z', '');
      default:
        return this.#number(stored);
    }
  }

  #number(stored: string): CellValue {
    // What a formula gives that gives nothing.
    if (stored.trim() === '') return undefined;
    const text = numberText(stored);
    if (text === undefined) throw this.#damaged(`"${stored.slice(0, 50)}" is no number`);
    const kind = this.book.kinds[this.#style] ?? 'number';
    if (kind === 'number') return text;
    return (
      dayNumberText(Number(stored), kind, this.book.from1904) ??
      new BadCell('no_such_date', text, this.#address())
    );
  }

  #address(): string {
    return addressOf(this.sheet.name, this.#column, this.#row);
  }

  #damaged(why: string) {
    return xlsxErrors.corrupt_xlsx({ input: this.book.zip.input, where: this.#address(), why });
  }
}

/** The place (0-based) of the column of an address such as `AB12`; undefined where there is none. */
function columnOf(address: string | undefined): number | undefined {
  if (address === undefined) return undefined;
  let column = 0;
  for (let at = 0; at < address.length; at++) {
    const letter = address.charCodeAt(at) - 64;
    if (letter < 1 || letter > 26) break;
    column = column * 26 + letter;
  }
  return column === 0 ? undefined : column - 1;
}

/** `Sheet1!C12`; a name that formulas need quotes for has them. */
export function addressOf(sheet: string, column: number, row: number): string {
  let letters = '';
  for (let left = column + 1; left > 0; left = Math.floor((left - 1) / 26))
    letters = String.fromCharCode(65 + ((left - 1) % 26)) + letters;
  const name = /^[A-Za-z_][\w.]*$/.test(sheet) ? sheet : `'${sheet.replaceAll("'", "''")}'`;
  return `${name}!${letters}${row}`;
}
