export { type BackupFile, backupFile } from './backup-file.js';
export { type TableFit, tableFit } from './load/table-fit.js';
export { writeThrough } from './publish/compat-views/write-through.js';
export { type ReportOptions, report } from './report.js';
