import { failed, isExactNumber, jsonText, originOf, own, type Run, type Source } from 'sluice';
import { beside } from 'sluice/transforms';
import { idOf, type OldIngredient, type OldLine, type OldRecipe } from './inputs.js';
import { pythonFloat, pythonList, pythonObject, pythonText } from './python-json.js';

/** The inputs that the runs are looked up in. */
export interface BookInputs {
  readonly recipes: Source<OldRecipe>;
  readonly ingredients: Source<OldIngredient>;
  readonly recipe_ingredients: Source<OldLine>;
}

/** What a snapshot of a recipe holds, as the JSON text that is stored; or why none can be made. */
export type Page =
  | { readonly name: string; readonly recipe_data: string; readonly ingredients_data: string }
  | { readonly wrong: string };

/**
 * Reads all recipes, and gives for the id of each what a snapshot of it holds. Recipes are held as the two
 * texts that are stored, so memory goes with their number and not with that of the runs. Field names, their
 * order and what stands for a missing value are those of `_create_backfill_snapshot` in the migration's
 * work package (WP04); lines come in the order of their ids.
 */
export async function readRecipeBook(inputs: BookInputs, run: Run): Promise<ReadonlyMap<string, Page>> {
  const named = new Map<string, string>();
  for await (const chunk of beside(inputs.ingredients, run, 'ingredients'))
    for (const { id, display_name, slug } of chunk) {
      const known = idOf(id);
      if (known !== undefined)
        named.set(
          known,
          own(`"ingredient_name": ${textJson(display_name)}, "ingredient_slug": ${textJson(slug)}`),
        );
    }

  const lines = new Map<string, Line[]>();
  for await (const chunk of beside(inputs.recipe_ingredients, run, 'recipe_ingredients'))
    for (const line of chunk) {
      const recipe = idOf(line.recipe_id);
      if (recipe === undefined) continue;
      const made = lineOf(line, named);
      const known = lines.get(recipe);
      if (known === undefined) lines.set(own(recipe), [made]);
      else known.push(made);
    }

  const book = new Map<string, Page>();
  for await (const chunk of beside(inputs.recipes, run, 'recipes'))
    for (const recipe of chunk) {
      const id = idOf(recipe.id);
      if (id === undefined || book.has(id)) throw unusable(recipe, inputs.recipes.name);
      book.set(own(id), pageOf(recipe, lines.get(id) ?? []));
      lines.delete(id);
    }
  return book;
}

/** Without an id, or with another's, nobody could tell which runs are of it. */
function unusable(recipe: OldRecipe, input: string): Error {
  const line = originOf(recipe);
  return failed(
    'bad_recipe_id',
    `the recipe ${said(recipe.name)} has ${idOf(recipe.id) === undefined ? `no id (${said(recipe.id)})` : `the id ${said(recipe.id)}, which another one has, too`}`,
    {
      input,
      ...(line === undefined ? {} : { line }),
      column: 'id',
      next: 'give every recipe an id of its own',
    },
  );
}

interface Line {
  readonly id: number;
  readonly json: string;
  readonly wrong?: string;
}

function pageOf(recipe: OldRecipe, lines: readonly Line[]): Page {
  const quantity = floatJson(recipe.yield_quantity);
  const minutes = integerJson(recipe.estimated_time_minutes);
  const wrong = [
    ...(quantity === undefined ? [`its yield_quantity ${said(recipe.yield_quantity)} is no number`] : []),
    ...(minutes === undefined
      ? [`its estimated_time_minutes ${said(recipe.estimated_time_minutes)} is no number`]
      : []),
    ...lines.flatMap((line) => line.wrong ?? []),
  ];
  if (quantity === undefined || minutes === undefined || wrong.length > 0)
    return { wrong: own(wrong.slice(0, 3).join('; ')) };
  const sorted = [...lines].sort((a, b) => a.id - b.id);
  return {
    name: own(String(recipe.name ?? '')),
    recipe_data: own(
      pythonObject([
        ['name', textJson(recipe.name)],
        ['category', textJson(recipe.category)],
        ['source', textJson(recipe.source)],
        ['yield_quantity', quantity],
        ['yield_unit', textJson(recipe.yield_unit)],
        ['yield_description', textJson(recipe.yield_description)],
        ['estimated_time_minutes', minutes],
        ['notes', textJson(recipe.notes)],
        ['variant_name', textJson(recipe.variant_name)],
      ]),
    ),
    ingredients_data: own(pythonList(sorted.map(({ json }) => json))),
  };
}

function lineOf(line: OldLine, named: ReadonlyMap<string, string>): Line {
  const ingredient = idOf(line.ingredient_id);
  const quantity = line.quantity === null ? undefined : floatJson(line.quantity);
  const id = Number(idOf(line.id) ?? 0);
  if (quantity === undefined)
    return { id, json: '', wrong: own(`the quantity ${said(line.quantity)} of its line ${id} is no number`) };
  const name = (ingredient === undefined ? undefined : named.get(ingredient)) ?? UNKNOWN;
  const json = `{"ingredient_id": ${ingredient ?? 'null'}, ${name}, "quantity": ${quantity}, "unit": ${textJson(line.unit)}, "notes": ${textJson(line.notes)}}`;
  return { id, json: own(json) };
}

/** An ingredient that is not there any more. One that is there without a name has null. */
const UNKNOWN = '"ingredient_name": "Unknown", "ingredient_slug": ""';

function textJson(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  return pythonText(typeof value === 'object' ? (jsonText(value) as string) : String(value));
}

const NUMBER = /^\s*[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?\s*$/i;

/** A column of floats: null where NULL, undefined where it is no number that JSON has. */
function floatJson(value: unknown): string | undefined {
  if (value === null || value === undefined) return 'null';
  const text = typeof value === 'bigint' || isExactNumber(value) ? String(value) : value;
  if (typeof text !== 'number' && !(typeof text === 'string' && NUMBER.test(text))) return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? pythonFloat(number) : undefined;
}

/** A column of integers. */
function integerJson(value: unknown): string | undefined {
  return idOf(value) ?? floatJson(value);
}

function said(value: unknown): string {
  return value === null || value === undefined ? 'NULL' : (jsonText(value) ?? String(value));
}
