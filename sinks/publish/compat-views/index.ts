export {
  compatibilitySchema,
  hasWriter,
  undoViewParts,
  viewParts,
  writeThrough,
} from './parts.js';
export { type SurveyedNames, surveyNames } from './survey.js';
