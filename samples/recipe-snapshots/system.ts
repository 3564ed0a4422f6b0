import { elementAt } from '../element.js';
import { generator } from '../lot-consolidation/system.js';

/** What decides the generated system; the same values give the same system, to the byte. */
export interface SystemOptions {
  /** How many production runs to make, exactly. */
  readonly runs: number;
  /** Any integer. */
  readonly seed: number;
}

/** A row of a table, its columns in their order. */
export type Made = Readonly<Record<string, string | number | boolean | null>>;

/** A production run, in the order of the document's fields. */
type Run = {
  readonly id: number;
  readonly recipe_id: number | null;
  readonly num_batches: number;
  readonly produced_at: string | null;
  readonly notes: string | null;
  readonly recipe_snapshot_id: number | null;
};

/** Every so many-th run has its snapshot already, nobody knows when it was made, or is of a deleted recipe. */
const MIGRATED = 20;
const UNDATED = 50;
const ORPHANED = 100;
const INGREDIENTS = 300;

const WORDS = ['Almond', 'Berry', 'Crème', 'Date', 'Élan', 'Fudge', 'Ginger', 'Honey', 'Îles', '"Jam"'];
const KINDS = ['Cookies', 'Cake', 'Tart', 'Bars', 'Bread', 'Brûlée'];
const UNITS = ['cup', 'g', 'kg', 'tbsp', 'oz', 'pinch'];

/** How many recipes a system has; each 100th, from the 50th on, was deleted and is not there. */
function recipeCount({ runs }: SystemOptions): number {
  return Math.max(5, Math.min(2000, Math.floor(runs / 50)));
}

const isDeleted = (id: number, every: number) => id % every === Math.floor(every / 2);

export function* recipes(options: SystemOptions): Generator<Made> {
  const random = generator(options.seed);
  for (let id = 1; id <= recipeCount(options); id++) {
    const name = `${pick(WORDS, random)} ${pick(WORDS, random)} ${pick(KINDS, random)} ${id}`;
    const made = {
      id,
      name,
      category: pick(KINDS, random),
      source:
        random() < 0.3 ? null : `Book ${1 + Math.floor(random() * 40)}, p. ${1 + Math.floor(random() * 300)}`,
      yield_quantity: Math.ceil(random() * 96) / 4,
      yield_unit: 'pieces',
      yield_description: random() < 0.5 ? null : '2-inch pieces',
      estimated_time_minutes: random() < 0.2 ? null : Math.floor(random() * 240),
      notes: random() < 0.6 ? null : 'Line one\nline two\tC:\\temp',
      variant_name: random() < 0.9 ? null : 'façon Lyon',
    };
    if (!isDeleted(id, 100)) yield made;
  }
}

export function* ingredients(): Generator<Made> {
  for (let id = 1; id <= INGREDIENTS; id++)
    if (!isDeleted(id, 50))
      yield { id, display_name: `Ingredient ${id}, pâte`, slug: id % 70 === 0 ? null : `ingredient_${id}` };
}

/** None for some recipes; those of deleted ones are still there. Ids do not follow the recipes. */
export function* recipeIngredients(options: SystemOptions): Generator<Made> {
  const random = generator(options.seed + 1);
  let id = 0;
  const count = recipeCount(options);
  for (let round = 0; round < 12; round++) {
    for (let recipe = 1; recipe <= count; recipe++) {
      if (random() < 0.4) continue;
      yield {
        id: ++id,
        recipe_id: recipe,
        ingredient_id: 1 + Math.floor(random() * INGREDIENTS),
        quantity: random() < 0.3 ? Math.ceil(random() * 10) : Math.ceil(random() * 100_000) / 10_000,
        unit: pick(UNITS, random),
        notes: random() < 0.8 ? null : 'sifted',
      };
    }
  }
}

export function* productionRuns(options: SystemOptions): Generator<Run> {
  const random = generator(options.seed + 2);
  const count = recipeCount(options);
  let snapshot = 0;
  for (let n = 1; n <= options.runs; n++) {
    let recipe = 1 + Math.floor(random() * count);
    if (isDeleted(recipe, 100)) recipe += 1;
    const orphan = n % ORPHANED === 7;
    const migrated = n % MIGRATED === 3 && !orphan;
    yield {
      // Runs were deleted now and then.
      id: n + Math.floor(n / 10),
      recipe_id: orphan ? (n % 200 === 7 ? null : 1_000_000 + n) : recipe,
      num_batches: 1 + Math.floor(random() * 4),
      produced_at: n % UNDATED === 11 ? null : moment(n, random),
      notes: random() < 0.9 ? null : `batch of oven ${1 + Math.floor(random() * 5)}`,
      recipe_snapshot_id: migrated ? ++snapshot * 2 : null,
    };
  }
}

/** The snapshots that are there already. */
export function* recipeSnapshots(options: SystemOptions): Generator<Made> {
  for (const run of productionRuns(options)) {
    if (run.recipe_snapshot_id === null) continue;
    yield {
      id: run.recipe_snapshot_id,
      recipe_id: run.recipe_id,
      production_run_id: run.id,
      scale_factor: 2,
      snapshot_date: run.produced_at ?? '2026-01-01T00:00:00',
      recipe_data: '{"name": "as it was"}',
      ingredients_data: '[]',
      is_backfilled: false,
    };
  }
}

function moment(n: number, random: () => number): string {
  const at = new Date(Date.UTC(2020, 0, 1) + n * 1_700_000 + Math.floor(random() * 1_000_000));
  return at.toISOString().slice(0, 19 + (n % 3 === 0 ? 4 : 0));
}

function pick(of: readonly string[], random: () => number): string {
  return elementAt(of, Math.floor(random() * of.length));
}
