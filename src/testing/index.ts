export type { ErrorCode } from '../core/errors/catalogue/index.js';
export { type Fault, faults } from './faults.js';
export {
  type TestedPipeline,
  type TestedRollback,
  type TestPipelineOptions,
  type TestRunOptions,
  testPipeline,
  type Until,
} from './pipeline.js';
export { closeTestServer } from './server.js';
export type { Snapshot } from './snapshot.js';
export { type TestedReject, type TestedStage, type TestStageOptions, testStage } from './stage.js';
export type { SeedRows, TablesGiven } from './tables.js';
