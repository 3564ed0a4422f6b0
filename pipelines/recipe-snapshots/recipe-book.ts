import { detachString, failed, isExactNumber, jsonText, originOf, type Run, type Source } from 'sluice';
import { sideInput } from 'sluice/transforms';
import { type KindOf, type PythonKind, recipeKinds } from './column-kinds.js';
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
  for await (const chunk of sideInput(inputs.ingredients, run, 'ingredients'))
    for (const { id, display_name, slug } of chunk) {
      const known = idOf(id);
      if (known !== undefined)
        named.set(
          known,
          detachString(`"ingredient_name": ${textJson(display_name)}, "ingredient_slug": ${textJson(slug)}`),
        );
    }

  const lines = new Map<string, Line[]>();
  for await (const chunk of sideInput(inputs.recipe_ingredients, run, 'recipe_ingredients'))
    for (const line of chunk) {
      const recipe = idOf(line.recipe_id);
      if (recipe === undefined) continue;
      const made = lineOf(line, named);
      const known = lines.get(recipe);
      if (known === undefined) lines.set(detachString(recipe), [made]);
      else known.push(made);
    }

  const kindOf = await recipeKinds(run);
  const book = new Map<string, Page>();
  for await (const chunk of sideInput(inputs.recipes, run, 'recipes'))
    for (const recipe of chunk) {
      const id = idOf(recipe.id);
      if (id === undefined || book.has(id)) throw unusable(recipe, inputs.recipes.name);
      book.set(detachString(id), pageOf(recipe, lines.get(id) ?? [], kindOf));
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

/** The fields of a recipe in a snapshot, in the document's order. */
const FIELDS = [
  ...(['name', 'category', 'source', 'yield_quantity', 'yield_unit', 'yield_description'] as const),
  ...(['estimated_time_minutes', 'notes', 'variant_name'] as const),
];

function pageOf(recipe: OldRecipe, lines: readonly Line[], kindOf: KindOf): Page {
  const fields = FIELDS.map((field) => [field, valueJson(recipe[field], kindOf(field))] as const);
  const wrong = [
    ...fields.flatMap(([field, made]) =>
      made === undefined ? [`its ${field} ${said(recipe[field])} is no number`] : [],
    ),
    ...lines.flatMap((line) => line.wrong ?? []),
  ];
  if (wrong.length > 0) return { wrong: detachString(wrong.slice(0, 3).join('; ')) };
  const sorted = [...lines].sort((a, b) => a.id - b.id);
  return {
    name: detachString(String(recipe.name ?? '')),
    recipe_data: detachString(pythonObject(fields.map(([field, made = '']) => [field, made]))),
    ingredients_data: detachString(pythonList(sorted.map(({ json }) => json))),
  };
}

function lineOf(line: OldLine, named: ReadonlyMap<string, string>): Line {
  const ingredient = idOf(line.ingredient_id);
  const quantity = line.quantity === null ? undefined : floatJson(line.quantity);
  const id = Number(idOf(line.id) ?? 0);
  if (quantity === undefined)
    return {
      id,
      json: '',
      wrong: detachString(`the quantity ${said(line.quantity)} of its line ${id} is no number`),
    };
  const name = (ingredient === undefined ? undefined : named.get(ingredient)) ?? UNKNOWN;
  const json = `{"ingredient_id": ${ingredient ?? 'null'}, ${name}, "quantity": ${quantity}, "unit": ${textJson(line.unit)}, "notes": ${textJson(line.notes)}}`;
  return { id, json: detachString(json) };
}

/** An ingredient that is not there any more. One that is there without a name has null. */
const UNKNOWN = '"ingredient_name": "Unknown", "ingredient_slug": ""';

/** A value as its column has it; undefined where the column is one of numbers and it is none. */
function valueJson(value: unknown, kind: PythonKind): string | undefined {
  if (kind === 'text') return textJson(value);
  // A value that an integer column could not hold is left as it is.
  return (kind === 'int' ? idOf(value) : undefined) ?? floatJson(value);
}

function textJson(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  return pythonText(typeof value === 'object' ? (jsonText(value) ?? 'null') : String(value));
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

function said(value: unknown): string {
  return value === null || value === undefined ? 'NULL' : (jsonText(value) ?? String(value));
}
