/** What makes staging live, as the command line, the ledger and messages name it. */
export const PUBLISH_MODES = ['replace', 'append', 'merge', 'sync', 'patch'] as const;

export type PublishMode = (typeof PUBLISH_MODES)[number];

/** What a publish does to live, by mode. */
const DOES: Readonly<Record<PublishMode, { byKey: boolean; inserts: boolean; deletes: boolean }>> = {
  replace: { byKey: false, inserts: true, deletes: true },
  append: { byKey: false, inserts: true, deletes: false },
  merge: { byKey: true, inserts: true, deletes: false },
  sync: { byKey: true, inserts: true, deletes: true },
  patch: { byKey: true, inserts: false, deletes: false },
};

/** Whether the mode finds live's rows by a key, and updates those that differ. */
export const findsByKey = (mode: PublishMode): boolean => DOES[mode].byKey;

/** Whether the mode adds rows to live. */
export const inserts = (mode: PublishMode): boolean => DOES[mode].inserts;

/** Whether rows of live go that the load lacks. */
export const deletes = (mode: PublishMode): boolean => DOES[mode].deletes;

/** Whether `text` names a mode. */
export const isPublishMode = (text: string | undefined): text is PublishMode =>
  (PUBLISH_MODES as readonly (string | undefined)[]).includes(text);
