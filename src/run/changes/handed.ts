import type { Target } from '../../core/target.js';
import type { Job } from '../job/job.js';

/** Rows that the load has handed to each table, over all flows; 0 before it. */
export function handedRows(job: Pick<Job, 'tables' | 'state'>): Map<Target, number> {
  const handed = new Map<Target, number>(job.tables.map(({ target }) => [target, 0]));
  for (const { sinks } of job.state.accounts) {
    for (const { sink, role, handed: rows } of sinks) {
      if (role === 'sink') continue;
      const target = job.tables.find((table) => table.target.table === sink)?.target;
      if (target !== undefined) handed.set(target, (handed.get(target) ?? 0) + rows);
    }
  }
  return handed;
}
