import { usage } from '../../../src/core/errors/author.js';
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
    throw usage(
      'missing_column',
      `${target.table}.${missing.name} is NOT NULL without a default, and the rows have no such column`,
      {
        table: target.table,
        column: missing.name,
        details: [`the rows have: ${[...names].join(', ')}`],
        next: `fill ${missing.name} in a map stage, or give the column a default`,
      },
    );
  }
  if (!chosen.some((column) => names.has(column.name))) {
    throw usage('no_columns', `the rows have no column that ${target.table} could take`, {
      table: target.table,
    });
  }
  return chosen;
}

function mayComeLater(column: ColumnFacts, wanted: readonly string[] | undefined): boolean {
  return wanted === undefined && !column.notNull && !column.hasDefault && column.identity === undefined;
}

function isFilledByDatabase(column: ColumnFacts): boolean {
  return column.hasDefault || column.identity !== undefined || column.generated !== undefined;
}

function unknownColumn(target: TargetTable, name: string, who: string) {
  const names = target.columns.map((column) => column.name);
  const close = nearest(name, names);
  return usage('unknown_column', `the ${who} a column ${JSON.stringify(name)} that ${target.table} lacks`, {
    table: target.table,
    column: name,
    details: [`${target.table} has: ${names.join(', ')}`],
    next:
      close === undefined
        ? `leave ${JSON.stringify(name)} out in a map stage, or declare the columns to load`
        : `did you mean ${JSON.stringify(close)}? Rename it in a map stage`,
  });
}
