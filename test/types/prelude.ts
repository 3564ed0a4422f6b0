/** What every line of the tables is compiled behind. */
export const PRELUDE = `
import { type AnyRow, type Chunk, type Column, type CsvRow, type Row, type Rows, type Run, type Sink, type Source, type Stage, type TextRow, append, check, csv, fileSource, flow, json, jsonl, memory, merge, offenders, patch, pipeline, query, replace, sqlite, stateless, named, sync, together, validation } from 'sluice';
import { aggregate, collect, count, distinct, filter, flatten, group, hash, lookup, map, mapAsync, mapChunk, min, passing, redact, rejectWhere, renumber, RowError, sideInput, sort, sum, unpivot, validate, validator, wholeGroups } from 'sluice/transforms';
import { csvFile, jsonlFile, report, stdout } from 'sluice/sinks';
interface Part { readonly sku: string; readonly price: string | null }
interface Order { readonly id: string; readonly customer: string | null }
type Loose = { readonly sku: string };
class Item { constructor(readonly id: number) {} }
const use = (..._: readonly unknown[]): void => {};
const parts = csv('parts.csv', { columns: ['sku', 'price'] });
const declared = memory<Part>('parts', []);
const orders = memory<Order>('orders', []);
const names = memory('names', [{ id: '1', name: 'one' }]);
const priced = map((row: CsvRow<'sku' | 'price'>) => ({ ...row, cents: Number(row.price) }));
const cents: Sink<{ readonly cents: number }> = report('cents', () => ({ columns: ['cents'] }));
const target = (run: Run, row: Part) => run.reject(row, { reason: 'bad' });
use(aggregate, collect, count, flatten, hash, mapAsync, min, redact, rejectWhere, sum, unpivot, wholeGroups, parts, declared, orders, names, priced, cents, target, Item, check, validation, offenders, stateless, named, together, fileSource, json, jsonl, sqlite, query, append, merge, patch, sync, replace, pipeline, flow, filter, distinct, group, lookup, mapChunk, passing, renumber, RowError, sideInput, sort, validate, validator);
`;
