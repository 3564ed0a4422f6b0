import { replaceErrors } from '../../../src/core/errors/catalogue/replace.js';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import type { TableFacts } from '../../../src/db/catalog/facts.js';

/**
 * How a staged table's shape differs from live's: the names, types, modifiers, collations, generation and
 * order of the columns, and persistence. Prepared statements, views and functions rely on these being the
 * same. Empty: no difference. Pure.
 */
export function shapeDifferences(live: TableFacts, staged: TableFacts): string[] {
  const differing: string[] = [];
  const names = (facts: TableFacts) => facts.columns.map((column) => column.name).join(', ');
  if (names(live) !== names(staged)) {
    differing.push(`columns: live has (${names(live)}), staging (${names(staged)})`);
  }
  for (const want of live.columns) {
    const is = staged.columns.find((column) => column.name === want.name);
    if (is === undefined) continue;
    const compare = (what: string, a: string | null, b: string | null) => {
      if (a !== b)
        differing.push(`column ${want.name}: ${what} is ${a ?? 'none'} in live, ${b ?? 'none'} in staging`);
    };
    compare('type', want.type, is.type);
    compare('collation', want.collation, is.collation);
    compare('identity', want.identity, is.identity);
    compare('generation', want.generated, is.generated);
    if (want.generated !== '') compare('generation expression', want.default, is.default);
  }
  if (live.persistence !== staged.persistence) {
    differing.push(`persistence: live is ${live.persistence}, staging ${staged.persistence}`);
  }
  if (distributionText(live) !== distributionText(staged)) {
    differing.push(`distribution: live is ${distributionText(live)}, staging ${distributionText(staged)}`);
  }
  return differing;
}

/** How the table is distributed, for comparing and for messages. */
function distributionText({ distribution }: TableFacts): string {
  if (distribution === null) return 'not distributed';
  return distribution.kind === 'hash' ? `distributed by ${distribution.column}` : distribution.kind;
}

/** The refusal of a table `name` whose staging has another shape; `differing` (at least one) says how. */
export function shapeRefusal(name: string, differing: readonly string[]): SluiceError {
  return replaceErrors.shape.staging(
    { table: name, first: differing[0]?.replace(/^columns: /, '') },
    { details: differing.length > 1 ? differing : [] },
  );
}
