export { concat } from './concat.js';
export { DATE_FORMATS, type DateOptions, dateParse } from './date-parse.js';
export { type DecimalMark, money, type NumberOptions, number } from './decimal.js';
export { defaultTo } from './default-to.js';
export { enumOf } from './enum-of.js';
export {
  compose,
  type Field,
  FieldError,
  type Note,
  present,
  type SplitField,
  type TextField,
} from './field.js';
export {
  compileMapping,
  type FieldProblem,
  type MappedField,
  type MappingOptions,
  type RecordMapping,
} from './mapping.js';
export { type Call, parseTransforms } from './parse.js';
export { phoneFormat } from './phone-format.js';
export {
  makeTransforms,
  type Registry,
  registry,
  TRANSFORMS,
  type Transform,
  transformFault,
} from './registry.js';
export { SPECIES_NAMES, speciesMap } from './species-map.js';
export { splitName } from './split-name.js';
export { collapseSpaces, emailLower, multiline, trim } from './text.js';
export { titleCase } from './title-case.js';
export { yesNo } from './yes-no.js';
