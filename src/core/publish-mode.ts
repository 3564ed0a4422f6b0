/** What makes staging live, as the command line, the ledger and messages name it. */
export const PUBLISH_MODES = ['replace', 'append', 'merge', 'sync', 'patch'] as const;

export type PublishMode = (typeof PUBLISH_MODES)[number];

/** Whether the mode finds live's rows by a key. */
export const findsByKey = (mode: PublishMode): boolean =>
  mode === 'merge' || mode === 'sync' || mode === 'patch';

/** Whether `text` names a mode. */
export const isPublishMode = (text: string | undefined): text is PublishMode =>
  (PUBLISH_MODES as readonly (string | undefined)[]).includes(text);
