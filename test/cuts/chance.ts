import type { Fault, Rule } from '../support/proxy.js';

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function chances(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const oneOf = <T>(random: () => number, of: readonly T[]): T =>
  of[Math.floor(random() * of.length)] as T;

/** Texts of the statements at which a fault is aimed in half of the cases; in the others it is so many bytes. */
const PLACES = [
  'BEGIN',
  'COPY',
  'COMMIT',
  'LOCK TABLE',
  'migration_batch',
  'ROLLBACK',
  'pg_class',
  'sluice_',
];
const SESSIONS = [/control/, /load/, /publish/, /./];

/** A fault at a moment, for a command that moves about `bytes` bytes. */
export function randomRule(random: () => number, bytes: number): Rule {
  const fault: Fault = oneOf(random, [
    { kind: 'freeze' },
    { kind: 'freeze' },
    { kind: 'cut' },
    { kind: 'delay', ms: 20 + Math.round(random() * 200) },
  ] as const);
  const passing = random() < 0.5;
  const all = random() < 0.35;
  if (random() < 0.5)
    return {
      fault,
      passing,
      all,
      session: oneOf(random, SESSIONS),
      holding: { direction: 'up', text: oneOf(random, PLACES) },
    };
  return { fault, passing, all, session: /^sluice/, afterBytes: 1 + Math.round(random() * bytes) };
}
