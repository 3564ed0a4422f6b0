/**
 * What the sections are called that certain milestone codes become: "Part Approval" sections PA2 → "First Article",
 * PA3 → "Production Trial"; "NMR" sections NMR1 → "Documentation", NMR2 → "Testing" (data migration strategy, 3.1).
 */
export const SECTION_OF_CODE: Readonly<Record<string, string>> = {
  PA2: 'First Article',
  PA3: 'Production Trial',
  NMR1: 'Documentation',
  NMR2: 'Testing',
};

/** The status values of a supplier's task. */
export const STATUSES = [
  'not_started',
  'in_progress',
  'submitted',
  'approved',
  'rejected',
  'completed',
  'not_applicable',
] as const;

/** Statuses in which nothing is due any more. */
export const DONE = ['approved', 'completed', 'not_applicable'] as const;
