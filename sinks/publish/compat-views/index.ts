export {
  compatibilitySchema,
  hasWriter,
  undoViewParts,
  viewParts,
} from './parts.js';
export { type SurveyedNames, surveyNames } from './survey.js';
