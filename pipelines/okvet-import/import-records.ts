import { markOrigin, named, originOf, type Rejection, type Row, type Run, type Stage } from 'sluice';
import { type TableFit, tableFit } from 'sluice/sinks';
import { type FieldProblem, type RecordMapping, sentences } from 'sluice/transforms';
import type { Layout } from './layout.js';
import { type InputName, type RecordType, tableColumns } from './record-types.js';
import { dateNumber, type Missing, type SourceIds } from './source-ids.js';
import type { ValueNotes } from './value-notes.js';

/** Ids in the old system are kept in columns of so many characters. */
const LONGEST_ID = 255;
/** A value in a sentence is cut after so many characters. */
const LONGEST_SHOWN = 80;

/** What importing the records of one input takes. */
export interface Importing {
  readonly input: InputName;
  /** The live table, as SQL names it. */
  readonly table: string;
  readonly kind: RecordType;
  readonly layout: Layout;
  readonly system: string;
  readonly mapping: RecordMapping;
  readonly ids: Readonly<Record<InputName, SourceIds>>;
  readonly notes: ValueNotes;
}

/**
 * Makes rows of a table out of the records of one input: maps their fields, validates them, and puts the ids
 * here in the place of the source ids that they refer to, which are to have been seen before: its flow comes after theirs. A record with errors is rejected with all of them; its reason, field and value are those of the first.
 */
export function importRecords(importing: Importing): Stage<Row, Row> {
  const { input, kind, ids } = importing;
  const own = ids[input];
  const parents = kind.references.map(({ to }) => ids[to]);
  return named(`import ${input}`, async function* (records, run) {
    const fit = await tableFit(run, importing.table, columnsOf(importing));
    const importer = new Importer(importing, run, fit);
    await Promise.all([own, ...parents].map((each) => each.ready(run)));
    for await (const chunk of records) {
      const out: Row[] = [];
      for (const record of chunk) {
        const made = importer.take(record);
        if (made !== undefined) out.push(made);
      }
      if (out.length > 0) yield out;
    }
    importing.notes.report(run);
  });
}

/** The columns that the rows fill, as the table has them. */
function columnsOf({ input, layout, mapping }: Importing): readonly string[] {
  return tableColumns(input, mapping.columns).map((ours) => layout.theirs(input, ours));
}

/** Something wrong with a record. `parent`: the record that it refers to and that was rejected. */
interface Problem extends Rejection {
  readonly parent?: { readonly of: SourceIds; readonly sourceId: string };
}

interface Parent {
  readonly column: string;
  readonly of: SourceIds;
  readonly optional: boolean;
  /** It is the one whose birth a date of the record is compared with. */
  readonly first: boolean;
  /** Where that of the record at hand was found; -1: none is named, or it is not there. */
  place: number;
}

/** Takes one record after the other. What it knows of the record at hand is its own, and used again for the next. */
class Importer {
  readonly #own: SourceIds;
  readonly #parents: readonly Parent[];
  readonly #problems: Problem[] = [];
  readonly #defaults: Readonly<Record<string, string>>;
  /** Columns with ids of the old system: its own, and those of its parents. */
  readonly #idColumns: readonly string[];
  /** Columns that a mapping fills and the table does not take empty. */
  readonly #required: readonly string[];
  /** Our names of columns with theirs, where one of them is another. */
  readonly #names: readonly (readonly [ours: string, theirs: string])[] | undefined;
  #record: Row = {};
  #made: Record<string, unknown> = {};

  constructor(
    private readonly importing: Importing,
    private readonly run: Run,
    private readonly fit: TableFit,
  ) {
    const { input, kind, mapping, layout, ids } = importing;
    this.#own = ids[input];
    this.#parents = kind.references.map(({ column, to, optional = false }, i) => ({
      column,
      of: ids[to],
      optional,
      first: i === 0,
      place: -1,
    }));
    this.#defaults = kind.defaults ?? {};
    this.#idColumns = ['source_id', ...kind.references.map(({ column }) => column)];
    this.#required = mapping.columns.filter(
      (column) => fit.notNull.has(layout.theirs(input, column)) && !this.#idColumns.includes(column),
    );
    const names = tableColumns(input, mapping.columns).map(
      (ours) => [ours, layout.theirs(input, ours)] as const,
    );
    this.#names = names.some(([ours, theirs]) => ours !== theirs) ? names : undefined;
  }

  /** The row of a record; undefined where it was rejected. */
  take(record: Row): Row | undefined {
    const { kind, system, mapping, notes } = this.importing;
    const line = originOf(record) ?? 0;
    const made = mapping.make(record, notes.at(line));
    for (const column in this.#defaults) if (made[column] === null) made[column] = this.#defaults[column];
    for (const column of this.#idColumns)
      if (typeof made[column] === 'string') made[column] = made[column].trim() || null;
    this.#record = record;
    this.#made = made;
    if (this.#problems.length > 0) this.#problems.length = 0;
    this.#fields(notes.problems);
    const sourceId = idIn(made, 'source_id');
    const place = sourceId === null || sourceId.length > LONGEST_ID ? -1 : this.#own.place(sourceId);
    this.#identity(sourceId, place);
    for (const parent of this.#parents) this.#parent(parent);
    if (this.#reject(sourceId, place, line)) return undefined;
    for (const { column, of, place: at } of this.#parents) if (at >= 0) made[column] = of.idAt(at);
    made.id = this.#own.nextId(place);
    made.source_system = system;
    const row = this.#named(made, record);
    const fault = this.fit.fault(row);
    if (fault !== undefined) {
      this.#unfit(fault);
      this.#reject(sourceId, place, line);
      return undefined;
    }
    const date = kind.date === undefined ? undefined : made[kind.date];
    this.#own.stage(
      place,
      line,
      typeof date === 'string' || date === undefined ? date : null,
      this.#spaced(),
    );
    return row;
  }

  /** The row with the columns as the table has them. */
  #named(made: Record<string, unknown>, record: Row): Row {
    if (this.#names === undefined) return made;
    const row: Record<string, unknown> = {};
    for (const [ours, theirs] of this.#names) row[theirs] = made[ours];
    return markOrigin(row, originOf(record));
  }

  /** Whether something is wrong with the record, which is rejected then. */
  #reject(sourceId: string | null, place: number, line: number): boolean {
    const [first] = this.#problems;
    if (first === undefined) return false;
    const { column, value, expected, reason, parent } = first;
    if (place >= 0) this.#own.reject(place, line, { reason, parent, spaced: this.#spaced() });
    const message = sentences(this.#problems);
    this.run.reject(this.#record, {
      reason,
      ...(message === '' ? {} : { message }),
      recordType: this.#own.type,
      ...(column === undefined ? {} : { column, value: value ?? null }),
      ...(expected === undefined ? {} : { expected }),
      ...(sourceId === null ? {} : { sourceId }),
    });
    return true;
  }

  /** Adds a problem of a column, told by the field that fills it. */
  #add(column: string, problem: Problem): void {
    const field = this.importing.mapping.fieldOf(column);
    this.#problems.push(
      field === undefined
        ? { ...problem, column, value: this.#made[column] }
        : { ...problem, column: field, value: this.#record[field] },
    );
  }

  /** Adds what a column of the table cannot take: the load would reject it, and the record's children were staged. */
  #unfit(fault: Rejection): void {
    const { layout, input, mapping } = this.importing;
    const ours = fault.column === undefined ? undefined : layout.ours(input, fault.column);
    if (ours === undefined || mapping.fieldOf(ours) === undefined) {
      this.#problems.push(fault);
      return;
    }
    const value =
      typeof fault.value === 'string' ? JSON.stringify(fault.value.slice(0, LONGEST_SHOWN)) : 'NULL';
    const message = `the column ${fault.column} does not take ${value}; expected: ${fault.expected}`;
    this.#add(ours, { ...fault, message });
  }

  #fields(unread: readonly FieldProblem[]): void {
    const { kind, mapping } = this.importing;
    for (const { field, ...problem } of unread) this.#problems.push({ ...problem, column: field });
    for (const fault of kind.validate(this.#made)) {
      const field = fault.column === undefined ? undefined : mapping.fieldOf(fault.column);
      // A field that could not be read has been told of; that its column is empty comes of it.
      if (field !== undefined && unread.some((problem) => problem.field === field)) continue;
      if (fault.column === undefined) this.#problems.push(fault);
      else this.#add(fault.column, fault);
    }
    for (const column of this.#required)
      if (this.#made[column] === null)
        this.#lacks(column, {
          message: `it gives no ${this.importing.layout.theirs(this.importing.input, column)}, and the table takes no row without`,
          expected: 'a value, or a default_value in the mapping',
        });
  }

  /** Adds that a column has no value, unless something is said of the field already that fills it. */
  #lacks(column: string, problem: Pick<Problem, 'message' | 'expected'>): void {
    const field = this.importing.mapping.fieldOf(column) ?? column;
    if (this.#problems.some((known) => known.column === field)) return;
    this.#add(column, { reason: 'required', ...problem });
  }

  /** Whether the file has spaces around the id of the record at hand. */
  #spaced(): boolean {
    const field = this.importing.mapping.fieldOf('source_id');
    const read = field === undefined ? undefined : this.#record[field];
    return typeof read === 'string' && read !== this.#made.source_id && read.trim() !== read;
  }

  #identity(sourceId: string | null, place: number): void {
    if (sourceId === null) {
      this.#lacks('source_id', {
        message: `it has no id, by which ${this.#own.type} records are told apart`,
        expected: 'an id',
      });
      return;
    }
    if (place < 0) {
      this.#add('source_id', {
        reason: 'max_length',
        message: `the source id has ${sourceId.length} characters`,
        expected: `at most ${LONGEST_ID} characters`,
      });
      return;
    }
    const before = this.#own.before(place);
    if (before !== undefined)
      this.#add('source_id', {
        reason: 'duplicate_id',
        message: [
          `${this.#own.type} ${sourceId} stands in line ${before.line} already`,
          ...(before.reason === undefined
            ? []
            : [`, and was rejected there: ${before.reason.replaceAll('_', ' ')}`]),
          ...(this.#spaced() || before.spaced ? ['; the spaces around an id are no part of it'] : []),
        ].join(''),
        expected: 'one record for each id',
      });
  }

  #parent(parent: Parent): void {
    const { column, of, optional } = parent;
    const parentId = idIn(this.#made, column);
    const at = parentId === null ? -1 : of.find(parentId);
    parent.place = at;
    if (parentId === null) {
      if (!optional)
        this.#lacks(column, { message: `it names no ${of.type}`, expected: `the id of a ${of.type}` });
      return;
    }
    if (at >= 0) {
      if (parent.first) this.#notBefore(of, at);
      return;
    }
    const missing = of.missing(parentId);
    this.#add(column, {
      ...(missing === undefined
        ? {
            reason: `unknown_${of.type}`,
            message: `there is no ${of.type} ${parentId}, neither in this import nor from an earlier one`,
          }
        : {
            reason: `${of.type}_rejected`,
            message: `its ${told(of.type, parentId, missing)}`,
            parent: { of, sourceId: parentId },
          }),
      expected: `the id of a ${of.type} that is imported`,
    });
  }

  #notBefore(of: SourceIds, at: number): void {
    const { notBefore } = this.importing.kind;
    if (notBefore === undefined) return;
    const born = of.dateAt(at);
    const date = this.#made[notBefore.column];
    if (born === 0 || typeof date !== 'string' || dateNumber(date) >= born) return;
    this.#add(notBefore.column, {
      reason: notBefore.reason,
      message: `${notBefore.what} (${date}) is before the ${of.type}'s birth (${asDate(born)})`,
      expected: `a date from ${asDate(born)} on`,
    });
  }
}

/** The id of the old system in a column: text, as mappings make all of them. */
function idIn(made: Readonly<Record<string, unknown>>, column: string): string | null {
  const id = made[column] ?? null;
  return id === null || typeof id === 'string' ? id : String(id);
}

/** `pet 7 (line 9) was rejected: client_rejected, as its client 3 (line 4) was: bad_date`. */
function told(type: string, sourceId: string, missing: Missing): string {
  const { line, reason, parent } = missing;
  const said = `${type} ${sourceId} (line ${line}) was rejected: ${reason.replaceAll('_', ' ')}`;
  const above = parent?.of.missing(parent.sourceId);
  if (parent === undefined || above === undefined) return said;
  return `${said}; its ${told(parent.of.type, parent.sourceId, above)}`;
}

function asDate(date: number): string {
  const text = String(date).padStart(8, '0');
  return `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}`;
}
