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

/** From which status the application moves a task to which. */
export const TRANSITIONS: Readonly<Record<(typeof STATUSES)[number], readonly (typeof STATUSES)[number][]>> =
  {
    not_started: ['in_progress', 'not_applicable'],
    in_progress: ['submitted', 'completed', 'not_started', 'not_applicable'],
    submitted: ['approved', 'rejected'],
    approved: ['completed', 'in_progress'],
    rejected: ['in_progress'],
    completed: ['in_progress'],
    not_applicable: ['not_started'],
  };
