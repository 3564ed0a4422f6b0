import { columnErrors } from '../../../src/core/errors/catalogue/columns.js';
import { headerErrors } from '../../../src/core/errors/catalogue/headers.js';
import { nearest } from '../../../src/core/errors/nearest.js';
import type { Row } from '../../../src/core/row.js';
import type { ColumnFacts } from '../../../src/db/catalog/columns.js';

/** The table whose columns are chosen, as messages name it, and the columns it has. */
export interface TargetTable {
  readonly table: string;
  readonly columns: readonly ColumnFacts[];
}

/**
 * The columns that COPY fills, in the table's order: those that the pipeline declares, else those that the
 * first row has. Nullable columns without a default are added to the latter, so that a later row may have
 * them. Generated columns are never among them, whoever asks: the database computes them. Identity columns
 * are: COPY takes given values even for GENERATED ALWAYS.
 *
 * Throws usage('unknown_column') for a name that the table lacks, usage('missing_column') for a NOT NULL
 * column that nothing would fill, usage('no_columns') where nothing is left to load.
 */
export function copyColumns(
  target: TargetTable,
  wanted: readonly string[] | undefined,
  firstRow: Row | undefined,
): ColumnFacts[] {
  const byName = new Map(target.columns.map((column) => [column.name, column]));
  const names = new Set(wanted ?? Object.keys(firstRow ?? {}));
  for (const name of names) {
    if (!byName.has(name))
      throw unknownColumn(target, name, wanted === undefined ? 'rows have' : 'pipeline declares');
  }
  const chosen = target.columns.filter(
    (column) => column.generated === undefined && (names.has(column.name) || mayComeLater(column, wanted)),
  );
  const missing = target.columns.find(
    (column) => column.notNull && !isFilledByDatabase(column) && !names.has(column.name),
  );
  if (missing !== undefined) {
    throw columnErrors.missing_column.notNull({
      table: target.table,
      column: missing.name,
      columns: [...names],
    });
  }
  if (!chosen.some((column) => names.has(column.name))) {
    throw headerErrors.no_columns.noneFits({ table: target.table });
  }
  return chosen;
}

function mayComeLater(column: ColumnFacts, wanted: readonly string[] | undefined): boolean {
  return wanted === undefined && !column.notNull && !column.hasDefault && column.identity === undefined;
}

function isFilledByDatabase(column: ColumnFacts): boolean {
  return column.hasDefault || column.identity !== undefined || column.generated !== undefined;
}

function unknownColumn(target: TargetTable, name: string, who: 'rows have' | 'pipeline declares') {
  const names = target.columns.map((column) => column.name);
  return columnErrors.unknown_column.notInTable({
    who,
    column: name,
    table: target.table,
    meant: nearest(name, names),
    columns: names,
  });
}
