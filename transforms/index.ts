export {
  type Aggregated,
  type AggregateOptions,
  aggregate,
  collect,
  count,
  first,
  type Measure,
  max,
  min,
  type Picked,
  sum,
} from './aggregate.js';
export { type DistinctOptions, distinct } from './distinct.js';
export { extend } from './extend.js';
export { RowError } from './failure.js';
export { concat } from './fields/concat.js';
export { DATE_FORMATS, type DateOptions, dateParse } from './fields/date-parse.js';
export { type DecimalMark, money, type NumberOptions, number } from './fields/decimal.js';
export { defaultTo } from './fields/default-to.js';
export { enumOf } from './fields/enum-of.js';
export {
  compose,
  type Field,
  FieldError,
  type Note,
  present,
  type SplitField,
  type TextField,
} from './fields/field.js';
export {
  compileMapping,
  type FieldProblem,
  type MappedField,
  type MappingOptions,
  type RecordMapping,
} from './fields/mapping.js';
export { type Call, parseTransforms } from './fields/parse.js';
export { phoneFormat } from './fields/phone-format.js';
export {
  makeTransforms,
  type Registry,
  registry,
  TRANSFORMS,
  type Transform,
  transformFault,
} from './fields/registry.js';
export { SPECIES_NAMES, speciesMap } from './fields/species-map.js';
export { splitName } from './fields/split-name.js';
export { collapseSpaces, emailLower, multiline, trim } from './fields/text.js';
export { titleCase } from './fields/title-case.js';
export { yesNo } from './fields/yes-no.js';
export { filter } from './filter.js';
export { type FlattenOptions, flatten } from './flatten.js';
export { type GroupOptions, group } from './group.js';
export type { By } from './key.js';
export { type LookupOptions, lookup, type Take, type Taken } from './lookup.js';
export { map, mapChunk } from './map.js';
export { type MapAsyncOptions, mapAsync } from './map-async.js';
export { nodeStream, type RowStream } from './node-stream.js';
export { passing } from './passing.js';
export {
  type HashKey,
  type HashOptions,
  hash,
  type Personal,
  type RedactOptions,
  redact,
} from './personal.js';
export { type RejectReason, rejectWhere } from './reject-where.js';
export { type RenumberOptions, renumber } from './renumber.js';
export type { JsonSchema } from './schema-text.js';
export { sideInput } from './side-input.js';
export { type SortOptions, type SortStage, sort } from './sort/index.js';
export type { OrderBy, OrderColumn, OrderKey, OrderValue } from './sort/order.js';
export { type Unpivoted, type UnpivotOptions, unpivot } from './unpivot.js';
export {
  type Rule,
  sentences,
  type ValidateOptions,
  type Validator,
  validate,
  validator,
} from './validate.js';
export { type WholeGroupsOptions, wholeGroups } from './whole-groups.js';
