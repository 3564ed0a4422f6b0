import { shellWord } from '../../command.js';
import { again, command } from '../../next.js';
import { failure, misuse, refusal, topic } from './entry.js';
import {
  AS_THE_COMMAND_ENDS,
  NOT_LIVE,
  NOTHING_CHANGED,
  NOTHING_DONE,
  NOTHING_PUBLISHED,
  NOTHING_WRITTEN,
} from './state.js';
import { FREE_SCRATCH, SAVE_TO_FILE } from './steps.js';

/** Of a folder that a backup is written to. */
const FREE_SPACE_THERE = again({}, { lead: 'free space there, or name another place (--into); then' });

/** Errors of files and folders, whatever they hold. */
export const fileErrors = topic({
  file_not_found: {
    noFolder: misuse(({ path, folder }: { path: string; folder: string }) => ({
      says: `there is no file ${path}: the folder ${folder} does not exist`,
      input: path,
      next: 'check the path',
    })),
    noFile: misuse(({ path, meant }: { path: string; meant: string | undefined }) => ({
      says: `there is no file ${path}${meant === undefined ? '' : `; did you mean ${meant}?`}`,
      input: path,
      next: meant === undefined ? 'check the path' : `name ${meant}`,
    })),
  },
  is_directory: misuse(({ path }: { path: string }) => ({
    says: `${path} is a directory, not a file`,
    input: path,
    next: 'name one file in it',
  })),
  no_permission: {
    input: failure(({ path }: { path: string }) => ({
      says: `no permission to read ${path}`,
      input: path,
      state: AS_THE_COMMAND_ENDS,
      next: `let this user read the file and its folders (ls -l ${shellWord(path)})`,
    })),
    sqlite: failure(({ path }: { path: string }) => ({
      says: `no permission to read ${path}`,
      input: path,
      state: AS_THE_COMMAND_ENDS,
      next: `let this user read it: chmod u+r ${shellWord(path)}, or run as the user that may`,
    })),
  },
  cannot_open: failure(({ path, why }: { path: string; why: string }) => ({
    says: `cannot open ${path}: ${why}`,
    input: path,
    state: AS_THE_COMMAND_ENDS,
    next: again({}, { lead: 'fix what the system says, then' }),
  })),
  read_failed: failure(({ path, shown = path, why }: { path: string; shown?: string; why: string }) => ({
    says: `cannot read ${shown}: ${why}`,
    input: path,
    state: AS_THE_COMMAND_ENDS,
    next: again({}, { lead: 'check the file and what it lies on, then' }),
  })),
  stdin_in_thread: misuse(() => ({
    says: 'stdin can be read by the main thread alone, and a stage reads it in another',
    input: '-',
    next: again({ drop: ['threads'] }),
  })),
  stdin_already_read: misuse(({ input, shown }: { input: string; shown: string }) => ({
    says: `${shown} can be read only once`,
    input,
    next: SAVE_TO_FILE,
  })),
  empty_file: {
    text: refusal(({ input }: { input: string }) => ({
      says: `${input} is empty: not even a header`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: 'check the export that wrote it; an export without rows still has a header',
    })),
    blankLines: refusal(({ input }: { input: string }) => ({
      says: `${input} holds nothing but blank lines: not even a header`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: 'check the export that wrote it; an export without rows still has a header',
    })),
    noHeader: refusal(({ input }: { input: string }) => ({
      says: `${input} holds no header`,
      input,
      state: AS_THE_COMMAND_ENDS,
      next: 'check the export that wrote it, and the options comment and skipLines',
    })),
    sqlite: failure(({ path }: { path: string }) => ({
      says: `${path} is empty: no SQLite database, not even one without tables`,
      input: path,
      state: NOTHING_DONE,
      next: 'check the path: an application that opens a wrong name leaves an empty file behind',
    })),
  },
  format_option: misuse(({ option, path, format }: { option: string; path: string; format: string }) => ({
    says: `${option} does not apply to ${format}, which ${path} is read as`,
    input: path,
    next: 'leave the option out, or name the format',
  })),
  cannot_write: {
    assessment: failure(({ path, why }: { path: string; why: string }) => ({
      says: `cannot write ${path}: ${why}`,
      state: NOTHING_CHANGED,
      next: again({ flags: { html: 'assessment.html' } }, { lead: 'name another file' }),
    })),
    ofBackup: failure(({ path, why }: { path: string; why: string }) => ({
      says: `cannot write ${path}: ${why}`,
      state: NOTHING_CHANGED,
      next: FREE_SPACE_THERE,
    })),
    ofExport: failure(({ path, why }: { path: string; why: string }) => ({
      says: `cannot write ${path}: ${why}`,
      state: 'no file was made; the database was only read',
      next: FREE_SPACE_THERE,
    })),
    ofRows: failure(({ path, why }: { path: string; why: string }) => ({
      says: `cannot write ${path}: ${why}`,
      state: AS_THE_COMMAND_ENDS,
      next: again({}, { lead: 'fix what the system says, then' }),
    })),
    backup: failure(({ path, why }: { path: string | undefined; why: string }) => ({
      says: `the backup cannot be written${path === undefined ? '' : ` to ${path}`}: ${why}`,
      state: NOTHING_CHANGED,
      next: FREE_SPACE_THERE,
    })),
  },
  /** `option`: in camel case. */
  only_of_tables: misuse(({ option }: { option: string }) => {
    const flag = option === 'noSwap' ? 'swap' : option === 'noTriggers' ? 'triggers' : option;
    return {
      says: `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} is about tables that are published, and these rows go elsewhere`,
      state: NOTHING_DONE,
      next: again({ drop: [flag] }),
    };
  }),
  /** Staging waits for a swap, which reads no rows. */
  files_with_staging: misuse(({ path }: { path: string }) => ({
    says: `${path} is made by a run that publishes: a staged batch is published later, by a command that reads no rows`,
    state: NOTHING_WRITTEN,
    next: command('run', [], {}, { note: 'loads and publishes at once' }),
  })),
  /** `node`: this one's version. */
  cannot_pack: misuse(({ node }: { node: string }) => ({
    says: `zstd is packed by Node.js from 22.15 on, and this is ${node}`,
    state: NOTHING_DONE,
    next: 'name a file that ends in .gz, or send the data through zstd: … | zstd > file.zst',
  })),
  backup_failed: failure(({ path, why }: { path: string; why: string }) => ({
    says: `the backup ${path} cannot be written: ${why}`,
    state: NOT_LIVE,
    next: 'make room, or run where the folder can be written',
  })),
  scratch_failed: {
    sort: failure(({ folder, why }: { folder: string; why: string }) => ({
      says: `a scratch file in ${folder} cannot be used: ${why}`,
      state: NOTHING_PUBLISHED,
      next: FREE_SCRATCH,
    })),
    copy: failure(({ input, to, why }: { input: string; to: string; why: string }) => ({
      says: `${input} cannot be copied to scratch (${to}): ${why}`,
      input,
      state: 'nothing was published; the original was only read',
      next: FREE_SCRATCH,
    })),
  },
  file_error: failure(({ why }: { why: string }) => ({
    says: `a file or folder of this machine cannot be used: ${why}`,
    state: AS_THE_COMMAND_ENDS,
    next: again({}, { lead: 'see to its rights and its path, then' }),
  })),
  log_not_writable: misuse(
    ({ folder, why, instead }: { folder: string | undefined; why: string; instead: string }) => ({
      says: `the log cannot be written${folder === undefined ? '' : ` in ${folder}`}: ${why}`,
      state: NOTHING_DONE,
      next: [
        again({ flags: { logFile: instead } }),
        again({ flags: { logFile: '/dev/null' } }, { lead: 'or without one' }),
      ],
    }),
  ),
});
