export { type DistinctOptions, distinct } from './distinct.js';
export { extend } from './extend.js';
export { RowError } from './failure.js';
export * from './fields/index.js';
export { filter } from './filter.js';
export { type GroupOptions, group } from './group.js';
export type { By } from './key.js';
export { type LookupOptions, lookup, type Take, type Taken } from './lookup.js';
export { map, mapChunk } from './map.js';
export { passing } from './passing.js';
export { type RenumberOptions, renumber } from './renumber.js';
export type { JsonSchema } from './schema-text.js';
export { sideInput } from './side-input.js';
export { type SortOptions, type SortStage, sort } from './sort/index.js';
export type { OrderBy, OrderColumn, OrderKey, OrderValue } from './sort/order.js';
export {
  type Rule,
  sentences,
  type ValidateOptions,
  type Validator,
  validate,
  validator,
} from './validate.js';
