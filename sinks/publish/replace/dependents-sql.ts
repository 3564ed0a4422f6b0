import type { CompiledFunction, Dependent } from '../../../src/db/catalog/dependents.js';
import { ident, qualified } from '../../../src/db/quote.js';
import { optionList } from './staging.js';

/** Locks a dependent before the table it reads; a table cannot be locked so without its base tables. */
export function lockDependent(each: Dependent): string[] {
  if (each.kind !== 'view') return [];
  return [`ALTER VIEW ${qualified(each.schema, each.name)} OWNER TO ${ident(each.owner)}`];
}

/** Statements that point a dependent at the table which now has the name. Pure. */
export function repointDependent(each: Dependent): string[] {
  const body = 'definition' in each && each.definition ? each.definition.trim().replace(/;$/, '') : '';
  switch (each.kind) {
    case 'view': {
      const options = optionList(each.options).join(', ');
      const withOptions = options === '' ? '' : ` WITH (${options})`;
      return [`CREATE OR REPLACE VIEW ${qualified(each.schema, each.name)}${withOptions} AS ${body}`];
    }
    case 'function':
      // Replacing a function takes these marks off it.
      return [
        body,
        ...each.extensions.map(
          (extension) => `ALTER ROUTINE ${each.signature} DEPENDS ON EXTENSION ${ident(extension)}`,
        ),
      ];
    case 'policy': {
      const using = each.using === null ? '' : ` USING (${each.using})`;
      const check = each.check === null ? '' : ` WITH CHECK (${each.check})`;
      return [`ALTER POLICY ${ident(each.name)} ON ${qualified(each.schema, each.table)}${using}${check}`];
    }
    case 'rule':
      return [body.replace(/^CREATE RULE /, 'CREATE OR REPLACE RULE ')];
    default:
      return [];
  }
}

/**
 * Makes every session compile the routine anew, so that variables of the table's row type get the new
 * table's. Changes nothing in its catalog row but the row's version.
 */
export function recompile(each: CompiledFunction): string {
  return each.kind === 'p'
    ? `ALTER PROCEDURE ${each.signature} SECURITY ${each.securityDefiner ? 'DEFINER' : 'INVOKER'}`
    : `ALTER FUNCTION ${each.signature} COST ${each.cost}`;
}
