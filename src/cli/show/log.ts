import { closeSync, writeSync } from 'node:fs';
import type { Log } from '../../core/run.js';
import { openLog } from './log-place.js';
import { logRecords, ofBatch } from './log-record.js';
import { recordsOnly, warn } from './terminal.js';

/** A batch's log: a file of log records (0600), and with --log-format json those from info up on stderr as well. */
export interface BatchLog extends Log {
  /** Moves from memory to `file`: the batch's id, which names the file, is known only once it has begun. */
  openFile(file: string, batch?: string): void;
  /** There will be no file: what waits is forgotten. */
  discard(): void;
  /** Everything is on disk. */
  close(): void;
}

/** A log that keeps its first lines in memory until `openFile` names the file. */
export function batchLog(): BatchLog {
  type Into = ReturnType<typeof logRecords>;
  let waiting: ((logger: Into) => void)[] | undefined = [];
  let logger: Into | undefined;
  let destination: LogFile | undefined;
  let about: Readonly<Record<string, unknown>> = {};
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, facts: Readonly<Record<string, unknown>> = {}) => {
      if (level !== 'debug') recordsOnly()?.say(level, message, facts);
      if (logger !== undefined) logger[level]({ ...about, ...facts }, message);
      else waiting?.push((into) => into[level]({ ...about, ...facts }, message));
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    openFile(file, batch) {
      if (batch !== undefined) {
        about = ofBatch(batch);
        recordsOnly()?.about(about);
      }
      destination = new LogFile(file);
      logger = logRecords('debug', destination);
      for (const write of waiting ?? []) write(logger);
      waiting = undefined;
    },
    discard() {
      waiting = undefined;
    },
    close() {
      destination?.close();
    },
  };
}

/** Lines are written together once there are so many characters of them. */
const WRITTEN_TOGETHER = 8_192;

/**
 * The file that lines go to. One that cannot be written any more (a full disk) costs the log and not the
 * rows: it is said once. pino's own destination would try for ever.
 */
class LogFile {
  #fd: number | undefined;
  #lines = '';

  constructor(private readonly path: string) {
    this.#fd = openLog(path);
  }

  write(line: string): void {
    this.#lines += line;
    if (this.#lines.length >= WRITTEN_TOGETHER) this.#flush();
  }

  close(): void {
    this.#flush();
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #flush(): void {
    let bytes = Buffer.from(this.#lines);
    this.#lines = '';
    if (this.#fd === undefined) return;
    try {
      while (bytes.length > 0) bytes = bytes.subarray(writeSync(this.#fd, bytes));
    } catch (error) {
      warn(`warning: the log ${this.path} cannot be written any more: ${(error as Error).message}`);
      closeSync(this.#fd);
      this.#fd = undefined;
    }
  }
}
