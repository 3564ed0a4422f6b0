import { readFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../../core/run.js';
import { bytesOfSource } from '../../sources/bytes/open.js';
import { isPacked } from '../../sources/format.js';
import type { DiskPlan } from '../given/publish-plan.js';
import type { Job } from '../job/job.js';

/** Estimates what the job needs on disk, from live's sizes and the input files', and looks what is free. */
export async function planDisk(job: Job): Promise<DiskPlan> {
  const { database } = job.options;
  const input = await inputBytes(job);
  const tables: DiskPlan['tables'][number][] = [];
  for (const { schema, table, oid, target, missing } of job.tables) {
    const [size] = await database.query<{ heap: number; indexes: number; rows: number }>(
      'SELECT pg_table_size($1::oid)::float8 AS heap, pg_indexes_size($1::oid)::float8 AS indexes',
      [oid],
    );
    const replaced = target.mode === 'replace' && missing !== true;
    tables.push({
      table: `${schema}.${table}`,
      staging: replaced ? Math.max(size?.heap ?? 0, job.tables.length === 1 ? (input ?? 0) : 0) : input,
      indexes: replaced ? (size?.indexes ?? null) : 0,
    });
  }
  const parts = tables.flatMap(({ staging, indexes }) => [staging, indexes]);
  const needed = parts.reduce<number | null>(
    (sum, part) => (sum === null || part === null ? null : sum + part),
    0,
  );
  return { tables, needed, ...(await freeSpace(database)) };
}

/** The size of the input files, or null where an input is none, or a compressed one. */
async function inputBytes(job: Job): Promise<number | null> {
  let sum = 0;
  for (const source of Object.values(job.inputs)) {
    if (source.kind !== 'file' || isPacked(source.name)) return null;
    const bytes = await bytesOfSource(source, job).catch(() => undefined);
    if (bytes?.size === undefined) return null;
    sum += bytes.size;
  }
  return sum;
}

/**
 * What is free where the server keeps its data. The server does not tell; but where its data directory can be
 * read on this machine, and the postmaster.pid in it is that of the server we talk to, the file system does.
 */
export async function freeSpace(database: Database): Promise<Pick<DiskPlan, 'free' | 'where'>> {
  const unknown = (where: string) => ({ free: null, where });
  const [server] = await database.query<{ directory: string | null; started: number }>(
    `SELECT current_setting('data_directory', true) AS directory,
            extract(epoch FROM pg_postmaster_start_time())::float8 AS started
     WHERE pg_has_role(current_user, 'pg_read_all_settings', 'USAGE')`,
  );
  if (server?.directory == null)
    return unknown('the role may not see where the server keeps its data (pg_read_all_settings)');
  try {
    const lines = (await readFile(join(server.directory, 'postmaster.pid'), 'utf8')).split('\n');
    // The third line is the start of the server in seconds since 1970.
    if (Math.abs(Number(lines[2]) - server.started) > 5) return unknown('the server is on another machine');
    const { bavail, bsize } = await statfs(server.directory);
    return { free: bavail * bsize, where: server.directory };
  } catch {
    return unknown(`${server.directory} on the server cannot be read from here`);
  }
}
