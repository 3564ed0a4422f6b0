import type { Source } from 'sluice';

/** Stands for an input that the command has not named: it has no rows, and no flow reads it. */
export function notGiven(name: string): Source {
  return {
    name: `(no file of ${name})`,
    kind: 'memory',
    absent: true,
    async *read() {},
  };
}
