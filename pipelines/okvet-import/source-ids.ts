import { ident, type Run } from 'sluice';
import { grown, KeyIndex } from './key-index.js';

/** Ids of live that are read together. */
const PAGE = 20_000;

const LIVE = 1;
const STAGED = 2;
const REJECTED = 4;
/** The file has spaces around the id of the record that was staged or rejected. */
const SPACED = 8;

/** Why a record that others refer to is not there. */
export interface Missing {
  readonly line: number;
  readonly reason: string;
  /** Where it was rejected for the sake of a parent of its own. */
  readonly parent: { readonly of: SourceIds; readonly sourceId: string } | undefined;
}

/** A record that this run has met before. */
export interface Before {
  readonly line: number;
  /** Why it was rejected; undefined where it was staged. */
  readonly reason: string | undefined;
  /** The file has spaces around its id. */
  readonly spaced: boolean;
}

/** Why a record is rejected; `parent`: for whose sake, where that is so. */
export interface Rejected {
  readonly reason: string;
  readonly spaced: boolean;
  readonly parent: Missing['parent'];
}

export interface SourceIdsOptions {
  /** As messages name one of them: `client`. */
  readonly type: string;
  /** The live table as SQL names it, and the source system whose ids it is asked for. */
  readonly table: string;
  readonly system: string;
  /** What the table's columns are called; `date`: one that later records are compared with: a pet's birth. */
  readonly columns: {
    readonly id: string;
    readonly sourceSystem: string;
    readonly sourceId: string;
    readonly date?: string;
  };
}

/**
 * The source ids of one record type: those that live holds with their ids here, those that this run stages,
 * and those that it rejected, with the reason. Held in memory, about 50 bytes for each.
 *
 * New records are numbered from the largest id on that live or its sequence has given: without drawing from the
 * sequence, so that a dry run writes nothing and a load that is resumed gives the same ids again. The
 * publish moves the sequence past them, and the guard on live sees to it that nobody took them meanwhile.
 */
export class SourceIds {
  readonly type: string;
  readonly #options: SourceIdsOptions;
  readonly #index = new KeyIndex();
  #ids = new Float64Array(1024);
  #lines = new Uint32Array(1024);
  #flags = new Uint8Array(1024);
  /** Of a record that is there its date as YYYYMMDD; of a rejected one its parent's number + 1. 0: none. */
  #extra = new Int32Array(1024);
  /** Of a rejected record its reason's place in `#reasons`, and which parent it was. */
  #reason = new Uint8Array(1024);
  readonly #reasons: { readonly reason: string; readonly parent: SourceIds | undefined }[] = [];
  #next = 0;
  #ready: Promise<void> | undefined;

  constructor(options: SourceIdsOptions) {
    this.type = options.type;
    this.#options = options;
  }

  /** Reads what live holds, once. */
  ready(run: Run): Promise<void> {
    this.#ready ??= this.#load(run);
    return this.#ready;
  }

  /**
   * The place of a source id, for the methods below: a new one where it is not known yet. Each look is paid with a
   * cache miss or two, so a record is looked up once.
   */
  place(sourceId: string): number {
    const at = this.#index.add(sourceId);
    if (at >= this.#ids.length) this.#grow(at + 1);
    return at;
  }

  /** The place of a record that is live or staged, or -1. */
  find(sourceId: string): number {
    const at = this.#index.find(sourceId);
    return at >= 0 && this.#has(at, LIVE | STAGED) ? at : -1;
  }

  /** The id here of a record that is live or staged. */
  idAt(place: number): number {
    return this.#ids[place] ?? 0;
  }

  /** The date of a record that is live or staged as YYYYMMDD, or 0. */
  dateAt(place: number): number {
    return this.#extra[place] ?? 0;
  }

  /** The record that this run has met at this place already: why it was rejected, if it was. */
  before(place: number): Before | undefined {
    if (!this.#has(place, STAGED | REJECTED)) return undefined;
    return {
      line: this.#lines[place] ?? 0,
      reason: this.#has(place, REJECTED) ? this.#reasons[this.#reason[place] ?? 0]?.reason : undefined,
      spaced: this.#has(place, SPACED),
    };
  }

  /** The id here that `stage` gives the record at this place: that of live or a new one. */
  nextId(place: number): number {
    return this.#has(place, LIVE | STAGED) ? (this.#ids[place] ?? 0) : this.#next + 1;
  }

  /**
   * Stages a record under its `nextId`. `date`: YYYY-MM-DD of the date column; undefined where the run does not fill
   * it, so that live's stays. `spaced`: the file has spaces around the id.
   */
  stage(place: number, line: number, date: string | null | undefined, spaced: boolean): void {
    const known = this.#has(place, LIVE | STAGED);
    if (!known) this.#ids[place] = ++this.#next;
    this.#lines[place] = line;
    if (date !== undefined || !known) this.#extra[place] = typeof date === 'string' ? dateNumber(date) : 0;
    this.#flags[place] = (this.#flags[place] ?? 0) | STAGED | (spaced ? SPACED : 0);
  }

  /** Notes that a record was rejected; what live or an earlier line holds of it stays. */
  reject(place: number, line: number, { reason, spaced, parent }: Rejected): void {
    if (this.#has(place, STAGED | REJECTED)) return;
    this.#lines[place] = line;
    this.#reason[place] = this.#reasonNumber(reason, parent?.of);
    // A live record keeps its date.
    if (!this.#has(place, LIVE))
      this.#extra[place] = parent === undefined ? 0 : parent.of.#index.add(parent.sourceId) + 1;
    this.#flags[place] = (this.#flags[place] ?? 0) | REJECTED | (spaced ? SPACED : 0);
  }

  /** Why a record is not there: undefined where no line has it. */
  missing(sourceId: string): Missing | undefined {
    const at = this.#index.find(sourceId);
    if (at < 0 || !this.#has(at, REJECTED) || this.#has(at, LIVE)) return undefined;
    const why = this.#reasons[this.#reason[at] ?? 0];
    const parent = (this.#extra[at] ?? 0) - 1;
    return {
      line: this.#lines[at] ?? 0,
      reason: why?.reason ?? 'rejected',
      parent:
        why?.parent === undefined || parent < 0
          ? undefined
          : { of: why.parent, sourceId: why.parent.#index.key(parent) },
    };
  }

  #has(at: number, flag: number): boolean {
    return ((this.#flags[at] ?? 0) & flag) !== 0;
  }

  #grow(least: number): void {
    this.#ids = grown(this.#ids, Float64Array, least);
    this.#lines = grown(this.#lines, Uint32Array, this.#ids.length);
    this.#flags = grown(this.#flags, Uint8Array, this.#ids.length);
    this.#extra = grown(this.#extra, Int32Array, this.#ids.length);
    this.#reason = grown(this.#reason, Uint8Array, this.#ids.length);
  }

  #reasonNumber(reason: string, parent: SourceIds | undefined): number {
    const found = this.#reasons.findIndex((each) => each.reason === reason && each.parent === parent);
    // Reasons are a few dozen codes; the last place stands for all beyond.
    if (found >= 0 || this.#reasons.length === 255) return found >= 0 ? found : 254;
    return this.#reasons.push({ reason, parent }) - 1;
  }

  async #load(run: Run): Promise<void> {
    const { table, system, columns } = this.#options;
    const id = ident(columns.id);
    const sourceId = ident(columns.sourceId);
    const [{ last } = { last: '0' }] = await run.database.query<{ last: string }>(
      `SELECT greatest(coalesce(max(${id}), 0), coalesce(pg_sequence_last_value(pg_get_serial_sequence($1, $2)::regclass), 0))::text AS last
       FROM ${table}`,
      [table, columns.id],
    );
    this.#next = Number(last);
    const born =
      columns.date === undefined ? '0' : `coalesce(to_char(${ident(columns.date)}, 'YYYYMMDD')::int, 0)`;
    let after = '';
    for (;;) {
      run.signal.throwIfAborted();
      const page = await run.database.query<{ source_id: string; id: string; born: number }>(
        `SELECT ${sourceId} AS source_id, ${id}::text AS id, ${born} AS born FROM ${table}
         WHERE ${ident(columns.sourceSystem)} = $1 AND ${sourceId} > $2 ORDER BY ${sourceId} LIMIT ${PAGE}`,
        [system, after],
      );
      for (const row of page) {
        const at = this.place(row.source_id);
        this.#ids[at] = Number(row.id);
        this.#flags[at] = LIVE;
        this.#extra[at] = row.born;
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return;
      after = last.source_id;
    }
  }
}

/** YYYY-MM-DD as the number YYYYMMDD. */
export function dateNumber(date: string): number {
  return Number(date.slice(0, 4)) * 10_000 + Number(date.slice(5, 7)) * 100 + Number(date.slice(8, 10));
}
