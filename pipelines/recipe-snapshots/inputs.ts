import { isExactNumber, query, type Row } from 'sluice';

/** A value as a table (text) or a JSON document (any) has it. */
type Value = unknown;

export interface OldRecipe extends Row {
  readonly id: Value;
  readonly name: Value;
  readonly category: Value;
  readonly source: Value;
  readonly yield_quantity: Value;
  readonly yield_unit: Value;
  readonly yield_description: Value;
  readonly estimated_time_minutes: Value;
  readonly notes: Value;
  /** Older schemas lack the column. */
  readonly variant_name?: Value;
}

export interface OldIngredient extends Row {
  readonly id: Value;
  readonly display_name: Value;
  readonly slug: Value;
}

/** A line of a recipe. */
export interface OldLine extends Row {
  readonly id: Value;
  readonly recipe_id: Value;
  readonly ingredient_id: Value;
  readonly quantity: Value;
  readonly unit: Value;
  readonly notes: Value;
}

export interface OldRun extends Row {
  readonly id: Value;
  readonly recipe_id: Value;
  readonly produced_at: Value;
  readonly recipe_snapshot_id: Value;
}

const RECIPE_COLUMNS = [
  'id',
  'name',
  'category',
  'source',
  'yield_quantity',
  'yield_unit',
  'yield_description',
  'estimated_time_minutes',
  'notes',
] as const;

/** Through to_jsonb, since a column that is not there is to be NULL and no error (getattr in the document). */
export const recipes = query<OldRecipe>(
  `SELECT ${RECIPE_COLUMNS.map((name) => `r.${name}`).join(', ')}, to_jsonb(r) ->> 'variant_name' AS variant_name
   FROM recipes r ORDER BY r.id`,
  { name: 'recipes', table: 'recipes', columns: RECIPE_COLUMNS },
);

export const ingredients = query<OldIngredient>(
  'SELECT id, display_name, slug FROM ingredients ORDER BY id',
  {
    name: 'ingredients',
    table: 'ingredients',
    columns: ['id', 'display_name', 'slug'],
  },
);

export const recipeIngredients = query<OldLine>(
  'SELECT id, recipe_id, ingredient_id, quantity, unit, notes FROM recipe_ingredients ORDER BY id',
  {
    name: 'recipe_ingredients',
    table: 'recipe_ingredients',
    columns: ['id', 'recipe_id', 'ingredient_id', 'quantity', 'unit', 'notes'],
  },
);

/** All runs, also those that have a snapshot: they are counted. */
export const productionRuns = query<OldRun>(
  'SELECT id, recipe_id, produced_at, recipe_snapshot_id FROM production_runs ORDER BY id',
  {
    name: 'production_runs',
    table: 'production_runs',
    columns: ['id', 'recipe_id', 'produced_at', 'recipe_snapshot_id'],
  },
);

/** An id as its digits, or undefined where there is none or it is no id. */
export function idOf(value: Value): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  // 7.0 of a JSON document is the id 7.
  const text =
    typeof value === 'bigint'
      ? String(value)
      : isExactNumber(value)
        ? value.literal.replace(/\.0+$/, '')
        : value;
  return typeof text === 'string' && /^(0|-?[1-9]\d{0,17})$/.test(text) ? text : undefined;
}
