export { type BackupFile, backupFile } from './backup-file.js';
export { type ReportOptions, report } from './report.js';
