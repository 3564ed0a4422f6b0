export { type BackupFile, backupFile } from './backup-file.js';
export { writeThrough } from './compatibility/index.js';
export { type ReportOptions, report } from './report.js';
