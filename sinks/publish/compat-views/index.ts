export {
  compatibilitySchema,
  hasWriter,
  type MadeView,
  undoViewParts,
  viewParts,
  writeThrough,
} from './parts.js';
export { type Concern, type OldName, type SurveyedNames, surveyNames } from './survey.js';
