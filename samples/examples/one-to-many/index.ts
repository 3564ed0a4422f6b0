// One row becomes several: the stage says by run.add how many rows no row came in for, and the accounts balance. Rows keep
// the origin of the row that they were made of, so a reject names its line.
import { type Chunk, flow, markOrigin, memory, originOf, pipeline, replace } from 'sluice';
import { mapChunk } from 'sluice/transforms';

export interface Recipe {
  readonly name: string;
  readonly ingredients: string;
}

export interface Ingredient {
  readonly recipe: string;
  readonly position: string;
  readonly ingredient: string;
}

/** A row for every ingredient of a recipe. */
export const eachIngredient = mapChunk((recipes: Chunk<Recipe>, run) => {
  const out = recipes.flatMap((recipe): Ingredient[] =>
    recipe.ingredients
      .split(';')
      .map((ingredient) => ingredient.trim())
      .filter((ingredient) => ingredient !== '')
      .map((ingredient, at) =>
        markOrigin({ recipe: recipe.name, position: String(at + 1), ingredient }, originOf(recipe)),
      ),
  );
  const without = recipes.filter(({ ingredients }) => !/[^;\s]/.test(ingredients));
  run.skip('no_ingredients', without);
  run.add('ingredient', out.length - (recipes.length - without.length));
  return out;
}, 'each ingredient');

export default pipeline({
  name: 'one-to-many',
  summary: 'Ingredients out of recipes that have them in one column',
  inputs: {
    recipes: memory<Recipe>('recipes', [
      { name: 'bread', ingredients: 'flour; water; salt' },
      { name: 'air', ingredients: ' ; ' },
      { name: 'tea', ingredients: 'leaves;water' },
    ]),
  },
  tables: { ingredients: replace('ingredients', { columns: ['recipe', 'position', 'ingredient'] }) },
  flows: ({ inputs, tables }) => [flow(inputs.recipes).through(eachIngredient).into(tables.ingredients)],
});
