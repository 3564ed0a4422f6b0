export { type BackupFile, backupFile } from './backup-file.js';
export {
  type CsvFileOptions,
  csvFile,
  type FileColumns,
  type FilePlace,
  jsonlFile,
  stdout,
} from './files/rows-out.js';
export { type TableFit, tableFit } from './load/table-fit.js';
export { writeThrough } from './publish/compat-views/write-through.js';
export { type ReportOptions, report } from './report.js';
