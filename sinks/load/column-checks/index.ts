import type { ColumnFacts } from '../../../src/db/catalog/columns.js';
import type { Guard } from './column-check.js';
import { arrayGuard, booleanGuard, byteaGuard, jsonGuard, uuidGuard } from './forms.js';
import { integerGuard } from './integers.js';
import { floatGuard, numericGuard } from './numbers.js';
import { dateGuard, intervalGuard, timeGuard, timestampGuard } from './temporal.js';
import { enumGuard, lengthGuard } from './text.js';

/**
 * The guard of `column`'s values as text, or undefined where the server alone can judge them (inet, xml,
 * ranges, types of extensions) or nothing can be wrong (text). NULL is not its business.
 */
export function guardFor(column: ColumnFacts): Guard | undefined {
  if (column.kind === 'array') return arrayGuard();
  if (column.kind === 'enum') return enumGuard(column.labels ?? []);
  switch (column.base) {
    case 'int2':
    case 'int4':
    case 'int8':
      return integerGuard(column.base);
    case 'numeric':
      return numericGuard(column.precision, column.scale);
    case 'float4':
    case 'float8':
      return floatGuard(column.base);
    case 'bool':
      return booleanGuard();
    case 'date':
      return dateGuard();
    case 'timestamp':
    case 'timestamptz':
      return timestampGuard(column.base);
    case 'time':
    case 'timetz':
      return timeGuard();
    case 'interval':
      return intervalGuard();
    case 'uuid':
      return uuidGuard();
    case 'json':
    case 'jsonb':
      return jsonGuard(column.base);
    case 'bytea':
      return byteaGuard();
    case 'varchar':
    case 'bpchar':
      return column.length === undefined ? undefined : lengthGuard(column.length);
    default:
      return undefined;
  }
}
