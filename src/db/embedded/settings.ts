import { statfsSync } from 'node:fs';
import { totalmem } from 'node:os';

const MB = 1024 * 1024;

/**
 * The settings that the server is started with, as name → value. They suit bulk loads: WAL may grow to
 * 4 GB between checkpoints, and `wal_level = minimal` lets COPY into a table made in the same transaction
 * write no WAL at all (the table's file is flushed at commit instead). A durable server keeps its promises
 * through a power cut; one that is not may lose everything then (but nothing when it is killed), and is for
 * tests.
 */
export function serverSettings(
  port: number,
  durable: boolean,
  extra: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    shared_buffers: `${sharedBuffersMb(availableMemory())}MB`,
    max_wal_size: '4GB',
    checkpoint_timeout: '15min',
    wal_level: 'minimal',
    max_wal_senders: '0',
    log_checkpoints: 'off',
    log_line_prefix: '%m [%p] ',
    ...(smallSharedMemory() ? { dynamic_shared_memory_type: 'sysv' } : {}),
    ...(durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
    ...extra,
  };
}

/** A quarter of the memory in bytes, between 32 and 256 MB. */
export function sharedBuffersMb(memory: number): number {
  return Math.max(32, Math.min(256, Math.floor(memory / 4 / MB)));
}

/** The environment of PostgreSQL's programs: ours without what would steer them (PGDATA, PGPORT, …). */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^PG[A-Z]/.test(name) && !/^LC_|^LANG/.test(name),
  );
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}

/** Memory that this process may use, in bytes: the machine's, or less where a container is limited. */
function availableMemory(): number {
  const limit = process.constrainedMemory();
  return limit !== undefined && limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** Containers give /dev/shm 64 MB by default, on which parallel queries fail: System V memory has no such bound. */
function smallSharedMemory(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    const { bsize, blocks } = statfsSync('/dev/shm');
    return bsize * blocks < 256 * MB;
  } catch {
    return true;
  }
}
