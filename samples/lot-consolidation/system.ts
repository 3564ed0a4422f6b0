import { elementAt } from '../element.js';

/** What decides the generated system; the same values give the same system, to the byte. */
export interface SystemOptions {
  /** How many serials to make, exactly. */
  readonly serials: number;
  /** Any integer. */
  readonly seed: number;
  /** Share of groups with a LOT that is in the new format already. Default: 0.02. */
  readonly alreadyNew?: number;
  /** Share of LOTs without serials. Default: 0.01. */
  readonly empty?: number;
}

/** A line of production, a model: id, code, name. */
export type Named = readonly [id: string, code: string, name: string];

interface Serial {
  readonly id: string;
  readonly number: string;
  readonly status: string;
  readonly createdAt: string;
}

/** A LOT with its serials in their old order (shorter number first, then by code point). */
export interface Lot {
  readonly id: string;
  readonly number: string;
  readonly line: Named;
  readonly model: Named;
  readonly month: string;
  readonly status: string;
  readonly createdAt: string;
  readonly closedAt: string | null;
  readonly serials: readonly Serial[];
}

const COUNTRIES = ['KR', 'LI', 'VN', 'MX', 'PL', 'IN', 'DE', 'US', 'BR', 'TH'];
const MODELS = ['PSA', 'PSB', 'TSA', 'TSB', 'FLW', 'LVL', 'HUM', 'GAS', 'ACC', 'GYR'];
const MONTHS = Array.from({ length: 24 }, (_, i) => `${24 + Math.floor(i / 12)}${two((i % 12) + 1)}`);
/** Ten models and 24 months, at most nine LOTs of at most a hundred: no group exceeds 900 serials. */
const MAX_LOTS = 9;
const LOT_SIZE = 100;
/** Days, shifts and numbers of a month's old LOT numbers. */
const NUMBERS_OF_A_MONTH = 28 * 2 * 999;

/** The models that every generated system has. */
export const models: readonly Named[] = MODELS.map((code, i) => [String(i + 1), code, `Model ${code}`]);

/** The production line at `index` (0-based). Throws a RangeError beyond 1,000 lines. */
export function lineAt(index: number): Named {
  const country = COUNTRIES[Math.floor(index / 100)];
  if (country === undefined) throw new RangeError('a generated system has at most 1,000 lines');
  const code = `${country}${two(index % 100)}`;
  return [String(index + 1), code, `Line ${code}`];
}

/**
 * The groups of a system, each as its LOTs in the order in which serials are renumbered: one already in
 * the new format first, then by id. Groups come in the order of line, model and month; ids grow with them.
 * Nothing is held but the group at hand. Throws a RangeError where the old numbers of a month run out
 * (at about 100 million serials).
 */
export function* groups(options: SystemOptions): Generator<readonly Lot[]> {
  const { serials, seed, alreadyNew = 0.02, empty = 0.01 } = options;
  const random = generator(seed);
  const used = new Map<string, number>();
  let lotId = 0;
  let left = serials;
  for (let line = 0; left > 0; line++) {
    for (const model of models) {
      for (const month of MONTHS) {
        if (left === 0) return;
        const count = 1 + Math.floor(random() * MAX_LOTS);
        const kept = random() < alreadyNew ? Math.floor(random() * count) : -1;
        const lots: Lot[] = [];
        for (let i = 0; i < count; i++) {
          const sequence = used.get(month) ?? 0;
          used.set(month, sequence + 1);
          const full = random() < 0.6 ? LOT_SIZE : 1 + Math.floor(random() * LOT_SIZE);
          const size = Math.min(left, random() < empty ? 0 : full);
          lots.push(
            lot(++lotId, serials - left, size, lineAt(line), model, month, sequence, i === kept, random),
          );
          left -= size;
        }
        if (kept > 0) lots.unshift(...lots.splice(kept, 1));
        yield lots;
      }
    }
  }
}

function lot(
  id: number,
  serialsBefore: number,
  size: number,
  line: Named,
  model: Named,
  month: string,
  sequence: number,
  isNew: boolean,
  random: () => number,
): Lot {
  if (sequence >= NUMBERS_OF_A_MONTH)
    throw new RangeError(`the old LOT numbers of month ${month} have run out`);
  const day = two(1 + (sequence % 28));
  const night = Math.floor(sequence / 28) % 2 === 1;
  const old = `WF-KR-${month}${day}${night ? 'N' : 'D'}-${String(1 + Math.floor(sequence / 56)).padStart(3, '0')}`;
  const number = isNew ? `${line[1]}${model[1]}${month}` : old;
  const date = `20${month.slice(0, 2)}-${month.slice(2)}-${day}`;
  const style = Math.floor(random() * 4);
  const turn = Math.floor(random() * size);
  const serials = Array.from({ length: size }, (_, i): Serial => {
    const minute = two(Math.floor(i * 0.6));
    return {
      // Ids do not follow the numbers: they begin somewhere in the LOT and go round.
      id: String(serialsBefore + 1 + ((i + turn) % size)),
      number: isNew
        ? `${number}${String(i + 1).padStart(3, '0')}`
        : serialNumber(style, old, serialsBefore + i, i),
      status: elementAt(['created', 'passed', 'failed', 'shipped'], i % 4),
      createdAt: `${date} ${night ? '18' : '06'}:${minute}:00+00`,
    };
  });
  const closed = random() < 0.9;
  return {
    id: String(id),
    number,
    line,
    model,
    month,
    status: closed ? 'closed' : 'open',
    createdAt: `${date} ${night ? '18' : '06'}:00:00+00`,
    closedAt: closed ? `${date} ${night ? '23' : '14'}:00:00+00` : null,
    serials: serials.sort((a, b) => a.number.length - b.number.length || (a.number < b.number ? -1 : 1)),
  };
}

/** Four formats that know nothing of one another; `unique` counts all serials of the system. */
function serialNumber(style: number, lotNumber: string, unique: number, i: number): string {
  if (style === 0) return `${lotNumber}-${i + 1}`;
  if (style === 1) return `${lotNumber}-${String(i + 1).padStart(3, '0')}`;
  // Multiplying by an odd number modulo 2^32 mixes the order and stays unique below 4 billion.
  const mixed = Math.imul(unique, 0x9e3779b1) >>> 0;
  if (style === 2) return `SN${mixed.toString(36).toUpperCase()}`;
  return `s/${String(mixed).padStart(10, '0')}`;
}

/** Numbers from 0 to below 1 by xorshift32: the same on every machine. */
export function generator(seed: number): () => number {
  let x = Math.imul((seed | 0) ^ 0x5bd1e995, 0x9e3779b1) || 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
}

function two(n: number): string {
  return String(n).padStart(2, '0');
}
